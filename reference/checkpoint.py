"""Writes a case's checkpoint folder: settings, weights under one of the namings, nothing that is shared between cases."""

import json
import zlib
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import Gemma3Config, Gemma3ForCausalLM, Gemma3ForConditionalGeneration, Gemma3TextConfig

import names
import weights

GOLDENS = Path(__file__).parent / "goldens"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def settings(case: dict, vocabulary: Tokenizer) -> dict:
    """The config.json of a case, in the spelling that the case is there to show.

    Cases with version 5's names and no `plain` mark have it as `save_pretrained` writes it, see `make`.
    """
    vocab_size = vocabulary.get_vocab_size() + case["padding"]
    ends = [vocabulary.token_to_id("<eos>"), vocabulary.token_to_id("<end_of_turn>")]
    text = case["text"] | {"vocab_size": vocab_size}
    tied = case.get("tied", True)
    dtype_key = "torch_dtype" if case["naming"] == "hub" else "dtype"
    if case["vision"] is None:
        ids = {"bos_token_id": vocabulary.token_to_id("<bos>"), "eos_token_id": ends, "pad_token_id": 0}
        return {"architectures": ["Gemma3ForCausalLM"], **text, **ids, "tie_word_embeddings": tied, dtype_key: case["dtype"]}
    if not tied:
        text["tie_word_embeddings"] = False
    whole = {
        "architectures": ["Gemma3ForConditionalGeneration"],
        "boi_token_index": vocabulary.token_to_id("<start_of_image>"),
        "eoi_token_index": vocabulary.token_to_id("<end_of_image>"),
        "eos_token_id": ends,
        "image_token_index": vocabulary.token_to_id("<image_soft_token>"),
        "initializer_range": 0.02,
        "mm_tokens_per_image": case["tokens_per_image"],
        "model_type": "gemma3",
        "text_config": text,
        dtype_key: case["dtype"],
        "transformers_version": "4.54.0.dev0" if case["naming"] == "hub" else "5.23.0",
        "vision_config": case["vision"],
    }
    if not tied:
        whole["tie_word_embeddings"] = False
    return whole


def preprocessor(case: dict) -> dict:
    """The preprocessor_config.json of a multimodal case, with the keys of the family's own."""
    side = case["vision"]["image_size"]
    return {
        "do_convert_rgb": None,
        "do_normalize": True,
        "do_pan_and_scan": None,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": case.get("image_mean", [0.5, 0.5, 0.5]),
        "image_processor_type": "Gemma3ImageProcessor",
        "image_seq_length": case["tokens_per_image"],
        "image_std": case.get("image_std", [0.5, 0.5, 0.5]),
        "pan_and_scan_max_num_crops": None,
        "pan_and_scan_min_crop_size": None,
        "pan_and_scan_min_ratio_to_activate": None,
        "processor_class": "Gemma3Processor",
        "resample": 2,
        "rescale_factor": 0.00392156862745098,
        "size": {"height": side, "width": side},
    }


def write_json(path: Path, value) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def make(folder: Path, name: str, case: dict) -> None:
    """Writes the folder; weights depend on the case's name alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    vocabulary = Tokenizer.from_file(str(GOLDENS / "tokenizer" / "tokenizer.json"))
    config = settings(case, vocabulary)
    write_json(
        folder / "generation_config.json",
        {"bos_token_id": vocabulary.token_to_id("<bos>"), "eos_token_id": case.get("eos", [1, 11]), "pad_token_id": 0},
    )
    if case["vision"] is None:
        model = Gemma3ForCausalLM(Gemma3TextConfig(**config))
    else:
        write_json(folder / "preprocessor_config.json", preprocessor(case))
        write_json(
            folder / "processor_config.json",
            {"image_seq_length": case["tokens_per_image"], "processor_class": "Gemma3Processor"},
        )
        model = Gemma3ForConditionalGeneration(Gemma3Config(**config))
    if case["naming"] == "modern" and not case.get("plain"):
        model.config.dtype = case["dtype"]
        model.config.architectures = config["architectures"]
        model.config.save_pretrained(folder)
    else:
        write_json(folder / "config.json", config)
    weights.fill(model, zlib.crc32(name.encode()) + case.get("reseed", 0), case["text"]["hidden_size"])
    save_weights(folder, model, case)


def save_weights(folder: Path, model, case: dict) -> None:
    """One file, or two shards with an index."""
    parameters = {n: p.detach().to(DTYPES[case["dtype"]]).contiguous() for n, p in model.named_parameters()}
    stored = names.rename(sorted(parameters), case["naming"])
    tensors = {stored[n]: parameters[n] for n in sorted(parameters)}
    if case.get("copy_of_head"):
        tensors["lm_head.weight"] = model.get_input_embeddings().weight.detach().to(DTYPES[case["dtype"]]).clone()
    if not case.get("shards"):
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        return
    order = sorted(tensors)
    where = {n: f"model-0000{1 + (i * 2 >= len(order))}-of-00002.safetensors" for i, n in enumerate(order)}
    for file in sorted(set(where.values())):
        save_file({n: tensors[n] for n in order if where[n] == file}, folder / file, metadata={"format": "pt"})
    total = sum(t.numel() * t.element_size() for t in tensors.values())
    write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": where})
