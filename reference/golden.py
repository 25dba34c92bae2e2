"""Runs a case through transformers (eager attention, float32 activations) and writes what came out as golden.json."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import PIL
import safetensors
import tokenizers
import torch
import transformers
from PIL import Image
from safetensors.torch import save_file
from transformers import (
    AutoTokenizer,
    Gemma3ForCausalLM,
    Gemma3ForConditionalGeneration,
    Gemma3Processor,
)
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

N_TOP = 5
N_GREEDY = 28


def versions() -> dict:
    modules = (transformers, torch, tokenizers, safetensors, np, PIL)
    return {m.__name__: m.__version__ for m in modules}


def load(folder: Path, case: dict):
    """The model with its weights as stored and everything computed in float32.

    transformers makes `embed_scale` in the type of the weights, and `.float()` keeps the rounded value: for bf16 and
    f16 files the embedding factor is sqrt(hidden) rounded to that type, which is what a bf16 run multiplies by.
    """
    kind = Gemma3ForCausalLM if case["vision"] is None else Gemma3ForConditionalGeneration
    dtype = getattr(torch, case["dtype"])
    model, info = kind.from_pretrained(folder, dtype=dtype, attn_implementation="eager", output_loading_info=True)
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        assert not info[what], (what, info[what])
    model = model.float().eval()
    text = model.model if case["vision"] is None else model.model.language_model
    rounded = torch.tensor(case["text"]["hidden_size"] ** 0.5).to(dtype).float()
    assert text.embed_tokens.embed_scale.float() == rounded, (text.embed_tokens.embed_scale, rounded)
    return model, text


def compose(folder: Path, out: Path, into: Path) -> None:
    """A complete model folder: the case's own files and the tokenizer that all cases share."""
    for source in (*folder.iterdir(), *(out / "tokenizer").iterdir()):
        shutil.copy(source, into / source.name)


def with_images(messages: list) -> list:
    """OpenAI's picture parts as the chat template knows them, plain strings untouched."""
    turns = []
    for message in messages:
        content = message["content"]
        if not isinstance(content, str):
            content = [{"type": "image"} if p["type"] == "image_url" else p for p in content]
        turns.append({"role": message["role"], "content": content})
    return turns


def picture_paths(messages: list) -> list:
    parts = [p for m in messages if not isinstance(m["content"], str) for p in m["content"]]
    return [p["image_url"]["url"] for p in parts if p["type"] == "image_url"]


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def number(x: float) -> float:
    return float(f"{x:.7g}")


def inputs_of(messages, case, tok, processor, out):
    """Ids, spans, expanded text and pixels of a conversation as the Hugging Face processor makes them."""
    turns = with_images(messages)
    prompt = tok.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    if processor is None:
        return prompt, {"input_ids": torch.tensor([tok(prompt, add_special_tokens=False).input_ids])}, []
    paths = picture_paths(messages)
    pictures = [Image.open(out / p) for p in paths]
    batch = processor(
        text=prompt, images=[pictures] if pictures else None, add_special_tokens=False, return_tensors="pt"
    )
    expanded = prompt.replace(processor.boi_token, processor.full_image_sequence)
    assert tok(expanded, add_special_tokens=False).input_ids == batch["input_ids"][0].tolist()
    images = []
    resizer = processor.image_processor
    for path, picture, pixels in zip(paths, pictures, batch.get("pixel_values", [])):
        rgb = np.moveaxis(np.array(picture.convert("RGB")), -1, 0)
        resized = np.moveaxis(resizer.resize(rgb, resizer.size, resizer.resample), 0, -1)
        assert resized.dtype == np.uint8
        images.append(
            {
                "file": path,
                "resized_sha256": sha256(resized),
                "pixel_values_sha256": sha256(pixels.numpy().astype("<f4")),
            }
        )
    keep = {"input_ids": batch["input_ids"], "token_type_ids": batch["token_type_ids"]}
    if paths:
        keep["pixel_values"] = batch["pixel_values"]
    return expanded, keep, images


def forward(model, inputs, ids):
    """Log-probabilities [tokens, vocabulary] in float32; one pass without a cache."""
    call = dict(inputs, input_ids=ids)
    if "token_type_ids" in call:
        old = call["token_type_ids"]
        call["token_type_ids"] = torch.nn.functional.pad(old, (0, ids.shape[1] - old.shape[1]))
    with torch.no_grad():
        logits = model(**call, use_cache=False).logits[0]
    return torch.log_softmax(logits.float(), dim=-1)


def top(row: torch.Tensor) -> list:
    """Best first, ties by lower id."""
    order = sorted(range(row.shape[0]), key=lambda i: (-row[i].item(), i))[:N_TOP]
    return [[i, number(row[i].item())] for i in order]


def conversation(name, messages, model, case, tok, processor, out) -> dict:
    expanded, inputs, images = inputs_of(messages, case, tok, processor, out)
    ids = inputs["input_ids"]
    listed = ids[0].tolist()
    table = forward(model, inputs, ids)
    logprobs = [None]
    for i in range(1, len(listed)):
        row = table[i - 1]
        # An image token outside the table has no probability; transformers would fail to look it up.
        chosen = row[listed[i]].item() if listed[i] < row.shape[0] else None
        logprobs.append([None if chosen is None else number(chosen), top(row)])
    greedy = []
    while len(greedy) < N_GREEDY:
        row = forward(model, inputs, ids)[-1]
        best = top(row)
        # A generated image token would ask for a picture that is not there.
        assert case["vision"] is None or best[0][0] != model.config.image_token_index
        greedy.append({"id": best[0][0], "logprob": best[0][1], "gap": number(best[0][1] - best[1][1])})
        ids = torch.cat([ids, torch.tensor([[best[0][0]]])], dim=1)
        if best[0][0] in case.get("eos", [1, 11]):
            break
    spans = []
    if case["vision"] is not None:
        image_token = model.config.image_token_index
        n = case["tokens_per_image"]
        starts = [i for i, t in enumerate(listed) if t == image_token and (i == 0 or listed[i - 1] != image_token)]
        spans = [[s, s + n] for s in starts]
        assert all(listed[s:e] == [image_token] * n for s, e in spans) and len(spans) == len(images)
    return {
        "name": name,
        "messages": messages,
        "images": images,
        "prompt_text": expanded,
        "prompt_ids": listed,
        "image_spans": spans,
        "prompt_logprobs": logprobs,
        "greedy": greedy,
    }


def intermediates(messages, model, text, case, tok, processor, out) -> dict:
    """Named values on the way, for walking a mismatch to its first divergence; float32, one row a token or patch."""
    _, inputs, _ = inputs_of(messages, case, tok, processor, out)
    seen = {}

    def keep(name):
        return lambda module, args, result: seen.__setitem__(
            name, (result[0] if isinstance(result, tuple) else result).detach().clone().contiguous()
        )

    hooks = [text.embed_tokens.register_forward_hook(keep("text.scaled_embeddings"))]
    for i, layer in enumerate(text.layers):
        hooks.append(layer.self_attn.register_forward_hook(keep(f"text.layer.{i}.attention")))
        hooks.append(layer.register_forward_hook(keep(f"text.layer.{i}")))
    hooks.append(text.norm.register_forward_hook(keep("text.norm")))
    if case["vision"] is not None:
        tower = model.model.vision_tower
        hooks.append(tower.embeddings.register_forward_hook(keep("vision.embeddings")))
        for i, layer in enumerate(tower.encoder.layers):
            hooks.append(layer.register_forward_hook(keep(f"vision.layer.{i}")))
        hooks.append(tower.post_layernorm.register_forward_hook(keep("vision.norm")))
        projector = model.model.multi_modal_projector
        hooks.append(projector.mm_soft_emb_norm.register_forward_hook(keep("projector.norm")))
        hooks.append(projector.register_forward_hook(keep("projector")))
    table = forward(model, inputs, inputs["input_ids"])
    for hook in hooks:
        hook.remove()
    assert torch.isfinite(table).all()
    return seen


def make(folder: Path, name: str, case: dict, out: Path) -> None:
    """Writes golden.json and, where the case asks, intermediates.safetensors."""
    with tempfile.TemporaryDirectory() as temporary:
        whole = Path(temporary)
        compose(folder, out, whole)
        tok = AutoTokenizer.from_pretrained(whole)
        processor = None
        if case["vision"] is not None:
            processor = Gemma3Processor(
                image_processor=Gemma3ImageProcessorPil.from_pretrained(whole),
                tokenizer=tok,
                chat_template=tok.chat_template,
                image_seq_length=case["tokens_per_image"],
            )
        model, text = load(whole, case)
    done = [conversation(k, v, model, case, tok, processor, out) for k, v in case["conversations"].items()]
    document = {
        "case": name,
        "why": case["why"],
        "made_with": versions(),
        "embed_scale": number(text.embed_tokens.embed_scale.item()),
        "conversations": done,
    }
    lines = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    (folder / "golden.json").write_text(lines + "\n", encoding="utf-8")
    if "intermediates" in case:
        seen = intermediates(case["conversations"][case["intermediates"]], model, text, case, tok, processor, out)
        save_file(seen, folder / "intermediates.safetensors")
    for c in done:
        gaps = sorted(g["gap"] for g in c["greedy"])
        chosen = [p[0] for p in c["prompt_logprobs"] if p and p[0] is not None]
        print(
            f"{name}/{c['name']}: {len(c['prompt_ids'])} ids, {len(c['image_spans'])} images, logprob "
            f"{np.mean(chosen):.2f}±{np.std(chosen):.2f}, greedy {len(set(g['id'] for g in c['greedy']))} of "
            f"{len(c['greedy'])} distinct, smallest gap {gaps[0]:.4f}"
        )
