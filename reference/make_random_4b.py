"""Makes a folder of the real 4B shape with random weights: `python make_random_4b.py OUT`.

883 tensors in two bf16 shards under the hub's names, 8,600,158,944 bytes of tensors, settings with the values of the
real files, and a tokenizer of 262,145 entries whose special tokens have the family's ids. It is for measuring speed
and memory: what the model says means nothing. Needs numpy and tokenizers, no torch; one tensor is in memory at a time.
Deterministic: the same bytes on every run.
"""

import json
import math
import struct
import sys
import time
import zlib
from pathlib import Path

import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

import tokenizer as small

HERE = Path(__file__).parent
TOTAL_SIZE = 8_600_158_944
N_TENSORS = 883
BLOCK = 1 << 22
"""Values drawn at a time."""

TEXT = {
    "attention_bias": False,
    "attention_dropout": 0.0,
    "attn_logit_softcapping": None,
    "final_logit_softcapping": None,
    "head_dim": 256,
    "hidden_activation": "gelu_pytorch_tanh",
    "hidden_size": 2560,
    "initializer_range": 0.02,
    "intermediate_size": 10240,
    "layer_types": ["full_attention" if (i + 1) % 6 == 0 else "sliding_attention" for i in range(34)],
    "max_position_embeddings": 131072,
    "model_type": "gemma3_text",
    "num_attention_heads": 8,
    "num_hidden_layers": 34,
    "num_key_value_heads": 4,
    "query_pre_attn_scalar": 256,
    "rms_norm_eps": 1e-06,
    "rope_local_base_freq": 10000,
    "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
    "rope_theta": 1000000,
    "sliding_window": 1024,
    "torch_dtype": "bfloat16",
    "use_cache": True,
    "vocab_size": 262208,
}
VISION = {
    "attention_dropout": 0.0,
    "hidden_act": "gelu_pytorch_tanh",
    "hidden_size": 1152,
    "image_size": 896,
    "intermediate_size": 4304,
    "layer_norm_eps": 1e-06,
    "model_type": "siglip_vision_model",
    "num_attention_heads": 16,
    "num_channels": 3,
    "num_hidden_layers": 27,
    "patch_size": 14,
    "torch_dtype": "bfloat16",
    "vision_use_head": False,
}
CONFIG = {
    "architectures": ["Gemma3ForConditionalGeneration"],
    "boi_token_index": 255999,
    "eoi_token_index": 256000,
    "eos_token_id": [1, 106],
    "image_token_index": 262144,
    "initializer_range": 0.02,
    "mm_tokens_per_image": 256,
    "model_type": "gemma3",
    "text_config": TEXT,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.54.0.dev0",
    "vision_config": VISION,
}
PREPROCESSOR = {
    "do_convert_rgb": None,
    "do_normalize": True,
    "do_pan_and_scan": None,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_processor_type": "Gemma3ImageProcessor",
    "image_seq_length": 256,
    "image_std": [0.5, 0.5, 0.5],
    "pan_and_scan_max_num_crops": None,
    "pan_and_scan_min_crop_size": None,
    "pan_and_scan_min_ratio_to_activate": None,
    "processor_class": "Gemma3Processor",
    "resample": 2,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": 896, "width": 896},
}


def tensors(config: dict = CONFIG) -> list:
    """(hub name, shape) in the order of the forward pass."""
    text, vision = config["text_config"], config["vision_config"]
    v, inner = vision["hidden_size"], vision["intermediate_size"]
    n_patches = (vision["image_size"] // vision["patch_size"]) ** 2
    at = "vision_tower.vision_model."
    out = [
        (at + "embeddings.patch_embedding.weight", (v, 3, vision["patch_size"], vision["patch_size"])),
        (at + "embeddings.patch_embedding.bias", (v,)),
        (at + "embeddings.position_embedding.weight", (n_patches, v)),
    ]
    for i in range(vision["num_hidden_layers"]):
        layer = f"{at}encoder.layers.{i}."
        linears = [(f"self_attn.{p}_proj", v, v) for p in ("q", "k", "v", "out")]
        for name, n_out, n_in in [*linears, ("mlp.fc1", inner, v), ("mlp.fc2", v, inner)]:
            out += [(f"{layer}{name}.weight", (n_out, n_in)), (f"{layer}{name}.bias", (n_out,))]
        for name in ("layer_norm1", "layer_norm2"):
            out += [(f"{layer}{name}.weight", (v,)), (f"{layer}{name}.bias", (v,))]
    out += [(at + "post_layernorm.weight", (v,)), (at + "post_layernorm.bias", (v,))]
    h, inner, d = text["hidden_size"], text["intermediate_size"], text["head_dim"]
    q, kv = text["num_attention_heads"] * d, text["num_key_value_heads"] * d
    out += [
        ("multi_modal_projector.mm_soft_emb_norm.weight", (v,)),
        ("multi_modal_projector.mm_input_projection_weight", (v, h)),
        ("language_model.model.embed_tokens.weight", (text["vocab_size"], h)),
    ]
    for i in range(text["num_hidden_layers"]):
        layer = f"language_model.model.layers.{i}."
        matrices = [("q_proj", q, h), ("k_proj", kv, h), ("v_proj", kv, h), ("o_proj", h, q)]
        out += [(f"{layer}self_attn.{n}.weight", (a, b)) for n, a, b in matrices]
        out += [(f"{layer}self_attn.{n}_norm.weight", (d,)) for n in ("q", "k")]
        out += [(f"{layer}mlp.{n}_proj.weight", s) for n, s in (("gate", (inner, h)), ("up", (inner, h)), ("down", (h, inner)))]
        norms = ("input", "post_attention", "pre_feedforward", "post_feedforward")
        out += [(f"{layer}{n}_layernorm.weight", (h,)) for n in norms]
    out.append(("language_model.model.norm.weight", (h,)))
    return out


def centre_and_width(name: str, shape: tuple) -> tuple:
    """Mean and half-width of the uniform distribution of a tensor; standard deviation is the half-width / sqrt(3).

    Scales as in weights.py, gentler over 34 layers: logits vary, attention chooses, nothing overflows.
    """
    if name.endswith("position_embedding.weight"):
        return 0.0, 0.8
    if name.endswith("embed_tokens.weight"):
        return 0.0, math.sqrt(3) * 2.0 / math.sqrt(shape[1])
    if name.endswith(".bias"):
        return 0.0, 0.1
    if "vision_tower" in name and "norm" in name:
        return 1.0, 0.4
    if "q_norm" in name or "k_norm" in name:
        return 0.3, 0.5
    if "post_attention_layernorm" in name or "post_feedforward_layernorm" in name:
        # Layers must outweigh the embedding, or the model repeats its last token with certainty.
        return 3.5, 1.0
    if "norm" in name:
        return 0.2, 0.5
    if "mm_input_projection_weight" in name:
        return 0.0, math.sqrt(3) * 2.0 / math.sqrt(shape[0])
    return 0.0, math.sqrt(3.0 / math.prod(shape[1:]))


def values(name: str, shape: tuple):
    """A tensor in pieces of at most BLOCK values: the bits of bf16, rounded to the nearest even mantissa."""
    mean, width = centre_and_width(name, shape)
    rng = np.random.Generator(np.random.SFC64(zlib.crc32(name.encode())))
    left = math.prod(shape)
    while left:
        n = min(left, BLOCK)
        values = rng.random(n, dtype=np.float32)
        values -= np.float32(0.5)
        values *= np.float32(2.0 * width)
        values += np.float32(mean)
        bits = values.view(np.uint32)
        bits += np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
        yield (bits >> np.uint32(16)).astype("<u2")
        left -= n


def write_shard(path: Path, entries: list) -> None:
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in entries:
        size = 2 * math.prod(shape)
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for name, shape in entries:
            for bits in values(name, shape):
                file.write(bits.tobytes())


def write_weights(out: Path, config: dict) -> None:
    everything = tensors(config)
    total = sum(2 * math.prod(shape) for _, shape in everything)
    assert config is not CONFIG or (len(everything), total) == (N_TENSORS, TOTAL_SIZE), (len(everything), total)
    # The first shard ends below 5 GB, as save_pretrained divides.
    shards, size = [[]], 0
    for entry in everything:
        n = 2 * math.prod(entry[1])
        if len(shards) == 1 and size + n > 4_990_000_000:
            shards.append([])
        shards[-1].append(entry)
        size += n
    where = {}
    for i, entries in enumerate(shards):
        file = f"model-{i + 1:05}-of-{len(shards):05}.safetensors"
        start = time.time()
        write_shard(out / file, entries)
        print(f"{file}: {len(entries)} tensors, {time.time() - start:.0f} s", flush=True)
        where |= {name: file for name, _ in entries}
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(where.items()))}
    (out / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


def write_tokenizer(out: Path) -> None:
    """The small tokenizer's pieces at ids that the family uses for ordinary text, fillers everywhere else."""
    pieces: dict[int, str] = {}
    added: dict[int, tuple[str, bool]] = {}

    def add(i: int, text: str, special: bool) -> None:
        pieces[i] = text
        added[i] = (text, special)

    for i, text in enumerate(["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]):
        add(i, text, True)
    add(5, "[multimodal]", False)
    for i in range(99):
        add(6 + i, f"<unused{i}>", False)
    add(105, "<start_of_turn>", True)
    add(106, "<end_of_turn>", True)
    for n in range(1, 32):
        add(106 + n, "\n" * n, False)
    for n in range(2, 32):
        add(136 + n, "▁" * n, False)
    add(255999, "<start_of_image>", True)
    add(256000, "<end_of_image>", True)
    for i in range(6143):
        add(256001 + i, f"<unused{99 + i}>", False)
    add(262144, "<image_soft_token>", True)
    for byte in range(256):
        pieces[238 + byte] = f"<0x{byte:02X}>"
    trained = json.loads(small.build().to_str())["model"]
    known = set(pieces.values())
    words = [p for p, _ in sorted(trained["vocab"].items(), key=lambda x: x[1]) if p not in known and not p.startswith("<")]
    merges = [tuple(m) for m in trained["merges"]]
    free = (i for i in range(262145) if i not in pieces)
    for word, i in zip(words, free):
        pieces[i] = word
    fillers = (i for i in range(262145) if i not in pieces)
    for n, i in enumerate(fillers):
        pieces[i] = f"<filler{n}>"
    vocab = {pieces[i]: i for i in range(262145)}
    assert len(vocab) == 262145
    whole = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    whole.normalizer = normalizers.Replace(" ", "▁")
    whole.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    whole.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    whole.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos>:1 $B:1", special_tokens=[("<bos>", 2)]
    )
    whole.add_tokens([AddedToken(t, normalized=False, special=s) for _, (t, s) in sorted(added.items())])
    assert whole.get_vocab_size() == 262145
    assert whole.encode("<bos><unused94>\n\n<start_of_image>", add_special_tokens=False).ids == [2, 100, 108, 255999]
    whole.save(str(out / "tokenizer.json"))
    config = small.config(small.build())
    config["added_tokens_decoder"] = {
        str(i): {"content": t, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": s}
        for i, (t, s) in sorted(added.items())
    }
    (out / "tokenizer_config.json").write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n")
    (out / "chat_template.jinja").write_text((HERE / "chat_template.jinja").read_text())


def write_folder(out: Path, config: dict = CONFIG) -> None:
    """The whole folder; `config` may be of a smaller shape."""
    out.mkdir(parents=True, exist_ok=True)
    side, n_tokens = config["vision_config"]["image_size"], config["mm_tokens_per_image"]
    settings = {
        "config.json": config,
        "generation_config.json": {"bos_token_id": 2, "eos_token_id": [1, 106], "pad_token_id": 0},
        "preprocessor_config.json": PREPROCESSOR | {"image_seq_length": n_tokens, "size": {"height": side, "width": side}},
        "processor_config.json": {"image_seq_length": n_tokens, "processor_class": "Gemma3Processor"},
    }
    for name, value in settings.items():
        (out / name).write_text(json.dumps(value, indent=2) + "\n")
    write_tokenizer(out)
    write_weights(out, config)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: make_random_4b.py OUT (a folder that will take 8.7 GB)")
    write_folder(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
