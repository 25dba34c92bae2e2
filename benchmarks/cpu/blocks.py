"""Values into GGUF's block formats, plainly rounded, with numpy: what make_models.py writes.

Each function takes float32 of shape (n_blocks, values a block) and returns uint8 of shape (n_blocks, bytes a block). A
quantizer that searches for better scales (llama-quantize, `lightbox models quantize`) loses less; the speed of a file does
not depend on that.
"""

import numpy as np


def halves(values: np.ndarray) -> np.ndarray:
    """float16, little-endian, as bytes: (n,) to (n, 2)."""
    return values.astype("<f2").view(np.uint8).reshape(-1, 2)


def over(scale: np.ndarray) -> np.ndarray:
    """1 / scale, 0 where there is no scale."""
    return np.divide(np.float32(1), scale, out=np.zeros_like(scale), where=scale != 0)


def stored(scale: np.ndarray) -> np.ndarray:
    """The scale as a reader will see it."""
    return scale.astype("<f2").astype(np.float32)


def q8_0(x: np.ndarray) -> np.ndarray:
    d = np.abs(x).max(axis=1) / np.float32(127)
    q = np.rint(x * over(d)[:, None]).astype(np.int8)
    return np.concatenate([halves(d), q.view(np.uint8)], axis=1)


def q4_0(x: np.ndarray) -> np.ndarray:
    furthest = np.take_along_axis(x, np.abs(x).argmax(axis=1)[:, None], axis=1)[:, 0]
    d = furthest / np.float32(-8)
    q = np.clip(x * over(d)[:, None] + np.float32(8.5), 0, 15).astype(np.uint8)
    return np.concatenate([halves(d), q[:, :16] | (q[:, 16:] << 4)], axis=1)


def q4_k(x: np.ndarray) -> np.ndarray:
    x = x.reshape(-1, 8, 32)
    low = np.minimum(x.min(axis=2), 0)
    scale, offset = (x.max(axis=2) - low) / np.float32(15), -low
    d, dmin = scale.max(axis=1) / np.float32(63), offset.max(axis=1) / np.float32(63)
    sc = np.clip(np.rint(scale * over(stored(d))[:, None]), 0, 63).astype(np.uint8)
    m = np.clip(np.rint(offset * over(stored(dmin))[:, None]), 0, 63).astype(np.uint8)
    step, shift = stored(d)[:, None] * sc, stored(dmin)[:, None] * m
    q = np.clip(np.rint((x + shift[:, :, None]) * over(step)[:, :, None]), 0, 15).astype(np.uint8)
    return packed_q4_k(d, dmin, sc, m, q)


def packed_q4_k(d: np.ndarray, dmin: np.ndarray, sc: np.ndarray, m: np.ndarray, q: np.ndarray) -> np.ndarray:
    scales = [sc[:, :4] | (sc[:, 4:] >> 4 << 6), m[:, :4] | (m[:, 4:] >> 4 << 6), (sc[:, 4:] & 15) | ((m[:, 4:] & 15) << 4)]
    nibbles = q[:, 0::2] | (q[:, 1::2] << 4)
    return np.concatenate([halves(d), halves(dmin), *scales, nibbles.reshape(-1, 128)], axis=1)


def q6_k(x: np.ndarray) -> np.ndarray:
    x = x.reshape(-1, 16, 16)
    scale = np.abs(x).max(axis=2) / np.float32(31)
    d = scale.max(axis=1) / np.float32(127)
    sc = np.clip(np.rint(scale * over(stored(d))[:, None]), 0, 127).astype(np.int8)
    step = stored(d)[:, None] * sc
    q = (np.clip(np.rint(x * over(step)[:, :, None]), -32, 31) + 32).astype(np.uint8)
    return packed_q6_k(d, sc, q)


def packed_q6_k(d: np.ndarray, sc: np.ndarray, q: np.ndarray) -> np.ndarray:
    a, b, c, e = np.moveaxis(q.reshape(-1, 2, 4, 32), 2, 0)
    low = np.concatenate([(a & 15) | ((c & 15) << 4), (b & 15) | ((e & 15) << 4)], axis=2)
    high = (a >> 4) | (b >> 4 << 2) | (c >> 4 << 4) | (e >> 4 << 6)
    return np.concatenate([low.reshape(-1, 128), high.reshape(-1, 64), sc.view(np.uint8), halves(d)], axis=1)


def random_q4_k(rng: np.random.Generator, n: int, deviation: float) -> np.ndarray:
    """n blocks whose values have mean 0 and about that standard deviation, with no values drawn."""
    sc = rng.integers(16, 32, (n, 8), dtype=np.uint8)
    d = np.full(n, deviation / (23.5 * 4.61), np.float32)
    return packed_q4_k(d, d * np.float32(7.5), sc, sc, rng.integers(0, 16, (n, 8, 32), dtype=np.uint8))


def random_q6_k(rng: np.random.Generator, n: int, deviation: float) -> np.ndarray:
    sc = rng.integers(32, 64, (n, 16), dtype=np.int8)
    d = np.full(n, deviation / (47.5 * 18.5), np.float32)
    return packed_q6_k(d, sc, rng.integers(0, 64, (n, 16, 16), dtype=np.uint8))


def bf16(x: np.ndarray) -> np.ndarray:
    bits = x.view(np.uint32)
    return ((bits + (np.uint32(0x7FFF) + ((bits >> 16) & 1))) >> 16).astype("<u2").view(np.uint8)


# Name: number in the file, values and bytes a block, how values are turned into it.
TYPES = {
    "f32": (0, 1, 4, lambda x: x.astype("<f4").view(np.uint8)),
    "f16": (1, 1, 2, lambda x: x.astype("<f2").view(np.uint8)),
    "q4_0": (2, 32, 18, q4_0),
    "q8_0": (8, 32, 34, q8_0),
    "q4_k": (12, 256, 144, q4_k),
    "q6_k": (14, 256, 210, q6_k),
    "bf16": (30, 1, 2, bf16),
}
RANDOM = {"q4_k": random_q4_k, "q6_k": random_q6_k}
