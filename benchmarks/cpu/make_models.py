"""Random weights of the real shapes as GGUF: `python make_models.py FOLDER [--shape 4b|27b|tiny] [--only bf16,q8_0,…]`.

    VENV/bin/python benchmarks/cpu/make_models.py FOLDER              # 4B: 20 GB; VENV: reference/requirements.txt
    VENV/bin/python benchmarks/cpu/make_models.py FOLDER --shape 4b-6   # and 4b-12: for run.py's unit `memory`
    VENV/bin/python benchmarks/cpu/make_models.py FOLDER --shape 27b  # 16.5 GB, Q4_K_M only

The 4B files hold the values of reference/make_random_4b.py, so that all of them and the folder in Hugging Face layout are
one model: text in bf16, Q8_0, Q4_0 and Q4_K_M (llama.cpp's mix: the embedding in Q6_K, attn_v and ffn_down of half of the
layers too), the projector file in f16, bf16 and f32. Norm weights hold the added 1, the embedding has 262,144 rows (no row
for the image token, as in the family's own files). `tiny` is the same in small, with a folder in Hugging Face layout, for
measure.py --smoke. 27B has random blocks instead of quantized values. Deterministic.
"""

import argparse
import copy
import json
import math
import sys
import time
import zlib
from pathlib import Path

import numpy as np

import blocks
import gguf_file

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "reference"))
import make_random_4b as random_4b  # noqa: E402

N_VOCAB = 262144
SHORTENED = {"4b-6": 6, "4b-12": 12}
"""Text layers of the files that run.py measures memory with; their towers have one."""
TEXT_TYPES = ("q4_k_m", "q8_0", "q4_0", "bf16")
PROJECTOR_TYPES = ("f16", "bf16", "f32")
FILE_TYPE = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 7, "q4_k_m": 15, "bf16": 32}

TEXT_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}
VISION_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.out_proj": "attn_out",
    "mlp.fc1": "ffn_up",
    "mlp.fc2": "ffn_down",
    "layer_norm1": "ln1",
    "layer_norm2": "ln2",
}


def shaped(name: str) -> dict:
    """The settings of a shape, as a config.json."""
    config = copy.deepcopy(random_4b.CONFIG)
    if name == "27b":
        sizes = {"hidden_size": 5376, "intermediate_size": 21504, "num_hidden_layers": 62, "head_dim": 128}
        sizes |= {"num_attention_heads": 32, "num_key_value_heads": 16, "query_pre_attn_scalar": 168}
        config["text_config"] |= sizes
    if name in SHORTENED:
        config["text_config"]["num_hidden_layers"] = SHORTENED[name]
        config["vision_config"]["num_hidden_layers"] = 1
    if name == "tiny":
        sizes = {"hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 6, "head_dim": 256}
        sizes |= {"num_attention_heads": 2, "num_key_value_heads": 1}
        config["text_config"] |= sizes
        sizes = {"hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 2, "num_attention_heads": 2}
        config["vision_config"] |= sizes | {"image_size": 224}
        config["mm_tokens_per_image"] = 16
    n = config["text_config"]["num_hidden_layers"]
    config["text_config"]["layer_types"] = ["full_attention" if (i + 1) % 6 == 0 else "sliding_attention" for i in range(n)]
    return config


def vocabulary(folder: Path) -> tuple[list, list, list]:
    """Texts, scores and kinds of the tokens, from the tokenizer.json that make_random_4b.py writes."""
    whole = json.loads((folder / "tokenizer.json").read_text())
    pieces = sorted(whole["model"]["vocab"].items(), key=lambda p: p[1])[:N_VOCAB]
    special = {t["content"]: t["special"] for t in whole["added_tokens"]}
    rank = {a + b: i for i, (a, b) in reversed(list(enumerate(whole["model"]["merges"])))}
    texts, scores, kinds = [], [], []
    for text, _ in pieces:
        kind, score = 1, -float(rank.get(text, 1_000_000))
        if text == "<unk>":
            kind, score = 2, 0.0
        elif text in special:
            kind, score = (3 if special[text] or text.startswith("<unused") else 4), -1000.0
            text = text.replace("▁", " ")
        elif len(text) == 6 and text.startswith("<0x"):
            kind, score = 6, -1000.0
        texts.append(text)
        scores.append(score)
        kinds.append(kind)
    return texts, scores, kinds


def text_metadata(config: dict, name: str, kind: str, folder: Path) -> dict:
    t = config["text_config"]
    texts, scores, kinds = vocabulary(folder)
    return {
        "general.architecture": "gemma3",
        "general.type": "model",
        "general.name": f"random weights of the {name} shape",
        "general.description": "Random weights for measuring; what the model says means nothing.",
        "general.file_type": FILE_TYPE[kind],
        "general.quantization_version": 2,
        "gemma3.context_length": t["max_position_embeddings"],
        "gemma3.embedding_length": t["hidden_size"],
        "gemma3.block_count": t["num_hidden_layers"],
        "gemma3.feed_forward_length": t["intermediate_size"],
        "gemma3.attention.head_count": t["num_attention_heads"],
        "gemma3.attention.head_count_kv": t["num_key_value_heads"],
        "gemma3.attention.key_length": t["head_dim"],
        "gemma3.attention.value_length": t["head_dim"],
        "gemma3.attention.layer_norm_rms_epsilon": t["rms_norm_eps"],
        "gemma3.attention.sliding_window": t["sliding_window"],
        "gemma3.rope.freq_base": float(t["rope_theta"]),
        "gemma3.rope.freq_base_swa": float(t["rope_local_base_freq"]),
        "gemma3.rope.scaling.type": "linear",
        "gemma3.rope.scaling.factor": 8.0,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.tokens": (gguf_file.STRING, texts),
        "tokenizer.ggml.scores": (gguf_file.F32, scores),
        "tokenizer.ggml.token_type": (gguf_file.I32, kinds),
        "tokenizer.ggml.bos_token_id": 2,
        "tokenizer.ggml.eos_token_id": 1,
        "tokenizer.ggml.eot_token_id": 106,
        "tokenizer.ggml.unknown_token_id": 3,
        "tokenizer.ggml.padding_token_id": 0,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_eos_token": False,
        "tokenizer.ggml.add_space_prefix": False,
        "tokenizer.chat_template": (HERE.parent.parent / "reference" / "chat_template.jinja").read_text(),
    }


def projector_metadata(config: dict, name: str, kind: str) -> dict:
    v = config["vision_config"]
    half = (gguf_file.F32, [0.5, 0.5, 0.5])
    metadata = {
        "general.architecture": "clip",
        "general.type": "mmproj",
        "general.name": f"random weights of the {name} shape",
        "general.file_type": FILE_TYPE[kind],
        "clip.has_vision_encoder": True,
        "clip.projector_type": "gemma3",
        "clip.use_gelu": True,
        "clip.vision.image_size": v["image_size"],
        "clip.vision.patch_size": v["patch_size"],
        "clip.vision.embedding_length": v["hidden_size"],
        "clip.vision.feed_forward_length": v["intermediate_size"],
        "clip.vision.block_count": v["num_hidden_layers"],
        "clip.vision.projection_dim": config["text_config"]["hidden_size"],
        "clip.vision.image_mean": half,
        "clip.vision.image_std": half,
        "clip.vision.attention.head_count": v["num_attention_heads"],
        "clip.vision.attention.layer_norm_epsilon": v["layer_norm_eps"],
    }
    return metadata


def named(hub: str) -> tuple[str, str, int]:
    """(which file, name in it, what is added to the values) of a tensor of the hub."""
    if hub.startswith("language_model.model.layers."):
        i, part = hub.removeprefix("language_model.model.layers.").removesuffix(".weight").split(".", 1)
        return "text", f"blk.{i}.{TEXT_NAMES[part]}.weight", int("norm" in part)
    if hub.startswith("vision_tower.vision_model.encoder.layers."):
        i, part = hub.removeprefix("vision_tower.vision_model.encoder.layers.").split(".", 1)
        part, ending = part.rsplit(".", 1)
        return "projector", f"v.blk.{i}.{VISION_NAMES[part]}.{ending}", 0
    return {
        "language_model.model.embed_tokens.weight": ("text", "token_embd.weight", 0),
        "language_model.model.norm.weight": ("text", "output_norm.weight", 1),
        "vision_tower.vision_model.embeddings.patch_embedding.weight": ("projector", "v.patch_embd.weight", 0),
        "vision_tower.vision_model.embeddings.patch_embedding.bias": ("projector", "v.patch_embd.bias", 0),
        "vision_tower.vision_model.embeddings.position_embedding.weight": ("projector", "v.position_embd.weight", 0),
        "vision_tower.vision_model.post_layernorm.weight": ("projector", "v.post_ln.weight", 0),
        "vision_tower.vision_model.post_layernorm.bias": ("projector", "v.post_ln.bias", 0),
        "multi_modal_projector.mm_soft_emb_norm.weight": ("projector", "mm.soft_emb_norm.weight", 1),
        "multi_modal_projector.mm_input_projection_weight": ("projector", "mm.input_projection.weight", 0),
    }[hub]


def more_bits(i: int, n: int) -> bool:
    """The layers to which Q4_K_M gives 6 bits for attn_v and ffn_down."""
    return i < n // 8 or i >= 7 * n // 8 or (i - n // 8) % 3 == 2


def type_of(name: str, shape: tuple, kind: str, n_layers: int) -> str:
    """What a tensor is stored as in a file of a kind."""
    if len(shape) == 1 or name.startswith(("v.patch_embd", "v.position_embd")):
        return "f32"
    if name == "mm.input_projection.weight":
        return "f32" if kind == "f32" else "f16"
    if kind == "q4_k_m":
        if name == "token_embd.weight":
            return "q6_k"
        layer, part = int(name.split(".")[1]), name.split(".")[2]
        return "q6_k" if part in ("attn_v", "ffn_down") and more_bits(layer, n_layers) else "q4_k"
    if kind in ("q4_0", "q8_0") and name == "token_embd.weight":
        return "q8_0" if kind == "q8_0" else "q6_k"
    return kind


def bytes_of(kind: str, shape: tuple) -> int:
    _, values, size, _ = blocks.TYPES[kind]
    assert shape[-1] % values == 0, shape
    return math.prod(shape) // values * size


def as_floats(hub: str, shape: tuple, n: int, added: int):
    """The first n values of the hub's tensor, in pieces, plus what the file wants added."""
    for bits in random_4b.values(hub, shape):
        piece = (bits[:n].astype(np.uint32) << np.uint32(16)).view(np.float32)
        n -= piece.size
        yield piece + np.float32(added) if added else piece
        if n == 0:
            return


def as_random_blocks(name: str, shape: tuple, kind: str):
    """Blocks drawn as they are, where no other file has to hold the same values."""
    rng = np.random.Generator(np.random.SFC64(zlib.crc32(name.encode())))
    left, deviation = math.prod(shape) // 256, 1.0 / math.sqrt(shape[-1])
    while left:
        n = min(left, 1 << 14)
        yield blocks.RANDOM[kind](rng, n, deviation)
        left -= n


def path_of(folder: Path, prefix: str, shape_name: str, kind: str) -> Path:
    """Projectors lie apart, so that a text file beside them is not loaded with one of three."""
    return folder / ("projectors" if prefix else "") / f"{prefix}{shape_name}-{kind}.gguf"


def make(folder: Path, shape_name: str, kinds: list) -> None:
    config = shaped(shape_name)
    n_layers = config["text_config"]["num_hidden_layers"]
    (folder / "projectors").mkdir(parents=True, exist_ok=True)
    if not (folder / "tokenizer.json").exists():
        random_4b.write_tokenizer(folder)
    plan = {"text": [], "projector": []}
    for hub, shape in random_4b.tensors(config):
        file, name, added = named(hub)
        if name == "token_embd.weight":
            plan[file].append((hub, shape, name, (N_VOCAB, shape[1]), added))
        else:
            plan[file].append((hub, shape, name, shape, added))
    for file, prefix in (("text", ""), ("projector", "mmproj-")):
        wanted = [k.removeprefix("mmproj-") for k in kinds if k.startswith("mmproj-") == (file == "projector")]
        wanted = [k for k in wanted if not path_of(folder, prefix, shape_name, k).exists()]
        writers = {}
        for kind in wanted:
            metadata = (
                text_metadata(config, shape_name, kind, folder) if file == "text" else projector_metadata(config, shape_name, kind)
            )
            table = []
            for _, _, name, shape, _ in plan[file]:
                stored = type_of(name, shape, kind, n_layers)
                table.append((name, shape, blocks.TYPES[stored][0], bytes_of(stored, shape)))
            writers[kind] = gguf_file.Writer(path_of(folder, prefix, shape_name, kind), metadata, table)
        start = time.time()
        for hub, drawn, name, shape, added in plan[file] if writers else []:
            stored = {kind: type_of(name, shape, kind, n_layers) for kind in wanted}
            if shape_name == "27b" and stored[wanted[0]] in blocks.RANDOM:
                for piece in as_random_blocks(name, shape, stored[wanted[0]]):
                    writers[wanted[0]].write(piece.data)
            else:
                for piece in as_floats(hub, drawn, math.prod(shape), added):
                    done = {}
                    for kind, into in stored.items():
                        if into not in done:
                            _, values, _, turn = blocks.TYPES[into]
                            done[into] = turn(piece.reshape(-1, values) if values > 1 else piece)
                        writers[kind].write(np.ascontiguousarray(done[into]).data)
            for writer in writers.values():
                writer.pad()
        for kind, writer in writers.items():
            writer.close()
            print(f"{writer.path.name}: {writer.path.stat().st_size:,} bytes, {time.time() - start:.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shape", choices=("4b", *SHORTENED, "27b", "tiny"), default="4b")
    parser.add_argument("--only", help="kinds, comma-separated: " + ", ".join([*TEXT_TYPES, *(f"mmproj-{p}" for p in PROJECTOR_TYPES)]))
    a = parser.parse_args()
    everything = [*TEXT_TYPES, *(f"mmproj-{p}" for p in PROJECTOR_TYPES)]
    if a.shape == "27b":
        everything = ["q4_k_m"]
    elif a.shape in SHORTENED:
        everything = ["q4_k_m", "mmproj-f16"]
    kinds = a.only.split(",") if a.only else everything
    unknown = set(kinds) - set(everything)
    if unknown:
        sys.exit(f"not made for {a.shape}: {', '.join(sorted(unknown))}")
    make(a.folder, a.shape, kinds)
    if a.shape == "tiny" and not (a.folder / "folder" / "config.json").exists():
        random_4b.write_folder(a.folder / "folder", shaped("tiny"))


if __name__ == "__main__":
    main()
