"""Makes the bundled demonstration checkpoint (crates/models/phantom) and its golden (goldens/phantom).

A random Gemma 3 with a vision tower: 112-pixel pictures, 16 tokens each, hidden 64, four layers of both kinds, bf16.
It knows nothing; what it writes is noise. Rows of the embedding table that are not words (bytes, markers, picture
tokens) are short, so that the noise is at least made of word pieces.
"""

import json
import shutil
import zlib
from pathlib import Path

import torch
from transformers import Gemma3Config, Gemma3ForConditionalGeneration

import checkpoint
import golden
import tokenizer
import weights
from cases import GEMMA, IMAGES, OLD_ROPE, ONE_IMAGE, SIGLIP, TURNS, without

HERE = Path(__file__).parent
OUT = HERE / "goldens"
BUNDLE = HERE.parent / "crates" / "models" / "phantom"

CASE = {
    "why": "the bundled demonstration checkpoint",
    "text": without(
        GEMMA,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=4,
        layer_types=["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"],
        sliding_window=64,
        max_position_embeddings=2048,
        **OLD_ROPE,
    ),
    "vision": SIGLIP | {"image_size": 112, "hidden_size": 48, "intermediate_size": 96, "num_attention_heads": 4},
    "tokens_per_image": 16,
    "dtype": "bfloat16",
    "naming": "hub",
    "padding": 3,
    "conversations": {"one-image": ONE_IMAGE, "images": IMAGES, "text": TURNS},
}
SHORT = 0.3
"""Factor of rows that should seldom win."""
SCALE = 1.15
"""Factor of the row of <end_of_turn>, so that answers end by themselves now and then."""


def main() -> None:
    torch.set_num_threads(1)
    vocabulary = tokenizer.build()
    BUNDLE.mkdir(parents=True, exist_ok=True)
    for old in BUNDLE.iterdir():
        old.unlink()
    config = checkpoint.settings(CASE, vocabulary)
    config["_name_or_path"] = "lightbox-phantom"
    checkpoint.write_json(BUNDLE / "config.json", config)
    checkpoint.write_json(BUNDLE / "preprocessor_config.json", checkpoint.preprocessor(CASE))
    checkpoint.write_json(
        BUNDLE / "processor_config.json", {"image_seq_length": 16, "processor_class": "Gemma3Processor"}
    )
    checkpoint.write_json(
        BUNDLE / "generation_config.json", {"bos_token_id": 2, "eos_token_id": [1, 11], "pad_token_id": 0}
    )
    model = Gemma3ForConditionalGeneration(Gemma3Config(**config))
    weights.fill(model, zlib.crc32(b"phantom"), CASE["text"]["hidden_size"])
    first_byte, last_byte = vocabulary.token_to_id("<0x00>"), vocabulary.token_to_id("<0xFF>")
    first_image = vocabulary.token_to_id("<start_of_image>")
    with torch.no_grad():
        table = model.get_input_embeddings().weight
        table[: last_byte + 1] *= SHORT
        table[first_image:] *= SHORT
        table[vocabulary.token_to_id("<end_of_turn>")] *= SCALE / SHORT
    assert first_byte < last_byte < first_image
    checkpoint.save_weights(BUNDLE, model, CASE)
    tokenizer.save(BUNDLE)
    target = OUT / "phantom"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for file in BUNDLE.iterdir():
        shutil.copy(file, target / file.name)
    golden.make(target, "phantom", CASE, OUT)
    for file in BUNDLE.iterdir():
        (target / file.name).unlink()
    answers = json.loads((target / "golden.json").read_text())["conversations"]
    for answer in answers:
        print(repr(vocabulary.decode([g["id"] for g in answer["greedy"]], skip_special_tokens=False)))
    size = sum(f.stat().st_size for f in BUNDLE.iterdir())
    print(f"phantom: {size} bytes")
    assert size < 700_000


if __name__ == "__main__":
    main()
