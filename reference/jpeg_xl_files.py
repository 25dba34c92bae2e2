"""Writes small JPEG XL streams and the samples they hold, for crates/codecs/tests/goldens/jpeg_xl.

    python reference/jpeg_xl_files.py crates/codecs/tests/goldens/jpeg_xl

Needs numpy and imagecodecs 2026.3.6 (libjxl 0.11.2). Samples are what went in where the stream is lossless, else what
libjxl reads.

MANIFEST has one line a stream: name, width, height, components, bits, and by how many levels a decoder may differ
(libjxl itself dithers pictures of 8 bits, so that two decoders differ by one there), or `refuse WORD`. NAME.samples is
row-major, components side by side, little-endian.
"""

import sys
from pathlib import Path

import imagecodecs
import numpy as np

OUT = Path(sys.argv[1])
OUT.mkdir(parents=True, exist_ok=True)
RNG = np.random.default_rng(18181)
MANIFEST = []


def picture(n, bits, height=11, width=17):
    y, x = np.mgrid[0:height, 0:width]
    top = (1 << bits) - 1
    base = np.stack([(np.sin(x / 5 + c) + np.cos(y / 4)) / 5 + 0.5 for c in range(n)], -1)
    samples = np.clip(np.round((base + RNG.normal(0, 0.01, base.shape)) * top), 0, top)
    samples[0, :2], samples[1, :2] = 0, top
    samples = samples.astype(np.uint8 if bits <= 8 else np.uint16)
    return samples[..., 0] if n == 1 else samples


def encode(samples, bits, **options):
    photometric = "gray" if samples.ndim == 2 else "rgb"
    return imagecodecs.jpegxl_encode(samples, bitspersample=bits, photometric=photometric, **options)


def save(name, coded, samples, bits, n_levels):
    (OUT / f"{name}.jxl").write_bytes(coded)
    (OUT / f"{name}.samples").write_bytes(samples.astype("<u2" if bits > 8 else "u1").tobytes())
    n = 1 if samples.ndim == 2 else samples.shape[2]
    MANIFEST.append(f"{name}\t{samples.shape[1]}\t{samples.shape[0]}\t{n}\t{bits}\t{n_levels}")


def refuse(name, coded, word):
    (OUT / f"{name}.jxl").write_bytes(coded)
    MANIFEST.append(f"{name}\trefuse {word}")


def main():
    for n, bits, effort in ((1, 8, 3), (1, 8, 7), (1, 10, 5), (1, 12, 1), (1, 16, 3), (1, 16, 9), (3, 8, 7), (3, 12, 3), (3, 16, 5)):
        samples = picture(n, bits)
        coded = encode(samples, bits, lossless=True, effort=effort)
        assert (imagecodecs.jpegxl_decode(coded) == samples).all()
        save(f"lossless-{n}x{bits}-effort{effort}", coded, samples, bits, 0)
    samples = picture(1, 16)
    save("lossless-container", encode(samples, 16, lossless=True, usecontainer=True), samples, 16, 0)
    save("lossless-1x1", encode(samples[:1, :1], 16, lossless=True), samples[:1, :1], 16, 0)

    for n, bits in ((1, 8), (1, 12), (3, 8), (3, 16)):
        coded = encode(picture(n, bits), bits, lossless=False, distance=1.0)
        save(f"lossy-{n}x{bits}", coded, imagecodecs.jpegxl_decode(coded), bits, 1)
    for subsampling in ("444", "420"):
        jpeg = imagecodecs.jpeg8_encode(picture(3, 8, 16, 24), level=90, subsampling=subsampling)
        coded = imagecodecs.jpegxl_encode_jpeg(jpeg, usecontainer=True)
        save(f"jpeg-{subsampling}", coded, imagecodecs.jpegxl_decode(coded), 8, 1)
    coded = imagecodecs.jpegxl_encode_jpeg(imagecodecs.jpeg8_encode(picture(1, 8, 16, 24), level=90))
    save("jpeg-gray", coded, imagecodecs.jpegxl_decode(coded), 8, 1)

    rgba = picture(4, 8)
    refuse("alpha", imagecodecs.jpegxl_encode(rgba, lossless=True, photometric="rgb"), "alpha")
    refuse("float", imagecodecs.jpegxl_encode(picture(1, 8).astype(np.float32) / 255, lossless=True), "floating-point")
    frames = np.stack([picture(1, 8), picture(1, 8)])
    refuse("animation", imagecodecs.jpegxl_encode(frames, lossless=True, photometric="gray"), "animation")
    (OUT / "MANIFEST").write_text("\n".join(MANIFEST) + "\n")


if __name__ == "__main__":
    main()
