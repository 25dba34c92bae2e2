"""Makes every checkpoint and golden under goldens/. Run with the versions of requirements.txt: `python make_goldens.py [CASE…]`."""

import sys
from pathlib import Path

import torch

import checkpoint
import golden
import pictures
import resizes
import templates
import tokenizer
from cases import CASES

OUT = Path(__file__).parent / "goldens"


def main() -> None:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    wanted = sys.argv[1:] or list(CASES)
    tokenizer.save(OUT / "tokenizer")
    pictures.save(OUT / "pictures")
    templates.make(OUT)
    resizes.make(OUT)
    for name in wanted:
        folder = OUT / name
        checkpoint.make(folder, name, CASES[name])
        golden.make(folder, name, CASES[name], OUT)


if __name__ == "__main__":
    main()
