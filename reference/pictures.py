"""Pictures from a formula, so that a test in any language can make them again without a decoder.

Sample (x, y, channel) of picture `seed`, in unsigned 32-bit arithmetic that wraps:

    h = x*x*3 + y*y*5 + x*y*(7*channel + 1) + 31*x + 17*y + 59*channel + 101*seed
    sample = ((h >> 4) ^ h) & 255

It sweeps through all spatial frequencies, so that a wrong filter, offset or rounding shows.
"""

from pathlib import Path

import numpy as np
from PIL import Image


def samples(width: int, height: int, seed: int, gray: bool = False) -> np.ndarray:
    """The picture as uint8 [height, width, 3]; a gray one has channel 0 in all three."""
    y, x, c = np.meshgrid(
        np.arange(height, dtype=np.uint32),
        np.arange(width, dtype=np.uint32),
        np.zeros(3, dtype=np.uint32) if gray else np.arange(3, dtype=np.uint32),
        indexing="ij",
    )
    h = x * x * 3 + y * y * 5 + x * y * (7 * c + 1) + 31 * x + 17 * y + 59 * c + np.uint32(101 * seed)
    return (((h >> 4) ^ h) & 255).astype(np.uint8)


# name -> (width, height, seed, gray); each is also stored as pictures/NAME.png, gray ones with one channel.
PICTURES = {
    "wide": (90, 37, 1, False),
    "tall": (31, 97, 2, False),
    "tiny": (5, 3, 3, False),
    "gray": (64, 48, 4, True),
    "square": (56, 56, 5, False),
    "strip": (150, 9, 6, False),
    "large": (121, 113, 7, False),
}


def save(folder: Path) -> None:
    """Writes every picture as PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (width, height, seed, gray) in PICTURES.items():
        array = samples(width, height, seed, gray)
        Image.fromarray(array[..., 0] if gray else array).save(folder / f"{name}.png", optimize=True)
