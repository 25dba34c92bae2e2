"""Pillow's bilinear resize (triangle filter, antialiased) of pictures made by the formula of pictures.py, as digests."""

import hashlib
import json
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

from pictures import samples

# (width, height) -> (width, height)
PAIRS = [
    ((1, 1), (1, 1)), ((1, 1), (56, 56)), ((2, 1), (7, 5)), ((1, 300), (56, 56)), ((300, 1), (56, 56)),
    ((3, 5), (56, 56)), ((56, 56), (56, 56)), ((57, 56), (56, 56)), ((56, 57), (56, 56)), ((55, 57), (56, 56)),
    ((112, 112), (56, 56)), ((111, 113), (56, 56)), ((200, 31), (112, 112)), ((31, 200), (112, 112)),
    ((97, 89), (84, 84)), ((1000, 7), (84, 84)), ((7, 1000), (84, 84)), ((640, 480), (224, 224)),
    ((513, 511), (448, 448)), ((896, 896), (896, 896)), ((895, 897), (896, 896)), ((1024, 768), (896, 896)),
    ((768, 1024), (896, 896)), ((300, 200), (896, 896)), ((2500, 2048), (896, 896)), ((897, 100), (896, 896)),
    ((1792, 1792), (896, 896)), ((3000, 11), (896, 896)), ((64, 64), (1, 1)), ((999, 1001), (1, 2)),
    ((17, 13), (13, 17)), ((500, 333), (333, 500)),
    # Around the place where Pillow 13 turns to the vertical pass first: rows lost more than twice columns lost.
    ((40, 60), (30, 40)), ((40, 60), (30, 39)), ((40, 60), (30, 41)), ((40, 60), (41, 59)), ((40, 60), (41, 61)),
    ((2048, 2500), (896, 896)), ((1000, 1100), (896, 896)), ((1000, 1105), (896, 896)), ((1000, 1104), (896, 896)),
]


def make(out: Path) -> None:
    """Writes resizes.json; picture i has seed i."""
    entries = []
    for seed, (source, target) in enumerate(PAIRS):
        resized = Image.fromarray(samples(*source, seed)).resize(target, Image.Resampling.BILINEAR)
        digest = hashlib.sha256(np.asarray(resized).tobytes()).hexdigest()
        entries.append({"seed": seed, "from": source, "to": target, "sha256": digest})
    document = json.dumps({"pillow": PIL.__version__, "resizes": entries}).replace('{"seed"', '\n{"seed"')
    (out / "resizes.json").write_text(document + "\n")
    print(f"resizes: {len(entries)}")
