"""Digests of blocks, dequantized and quantized: what `crates/kernels/tests/blocks.rs` compares with.

Needs numpy and gguf 0.19.0 (PyPI). `python gguf_blocks.py` prints the table that stands in the test.

Blocks are the bytes of SplitMix64 from a seed of the type's own; binary16 scales that would be infinite or NaN lose the
upper bit of their exponent, so that every finite pattern can occur (negative, subnormal, zero). The digest of values v
is the sum of (bits(v[i]) + 1) * splitmix64(i), modulo 2^64.
"""

import numpy as np
from gguf import GGMLQuantizationType as T
from gguf import quants
from gguf.constants import GGML_QUANT_SIZES

N_VALUES = 1 << 17

# Type, and where in a block a scale stands.
TYPES = [
    (T.F32, []),
    (T.BF16, []),
    (T.F16, []),
    (T.Q8_0, [0]),
    (T.Q4_0, [0]),
    (T.Q4_1, [0, 2]),
    (T.Q5_0, [0]),
    (T.Q5_1, [0, 2]),
    (T.Q2_K, [80, 82]),
    (T.Q3_K, [108]),
    (T.Q4_K, [0, 2]),
    (T.Q5_K, [0, 2]),
    (T.Q6_K, [208]),
    (T.IQ4_NL, [0]),
    (T.IQ4_XS, [0]),
]


def splitmix64(index):
    with np.errstate(over="ignore"):
        z = (index + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def blocks(seed, kind, scales):
    values, size = GGML_QUANT_SIZES[kind]
    n_bytes = N_VALUES // values * size
    words = splitmix64(np.arange((n_bytes + 7) // 8, dtype=np.uint64) + np.uint64(seed << 32))
    data = words.view(np.uint8)[:n_bytes].reshape(-1, size).copy()
    if kind == T.F32:
        data[(data[:, 3] & 0x7F == 0x7F) & (data[:, 2] & 0x80 != 0), 3] &= 0xBF
    elif kind == T.BF16:
        data[(data[:, 1] & 0x7F == 0x7F) & (data[:, 0] & 0x80 != 0), 1] &= 0xBF
    for at in [0] if kind == T.F16 else scales:
        data[data[:, at + 1] & 0x7C == 0x7C, at + 1] &= 0xBF
    return data


def digest(values):
    bits = np.ascontiguousarray(values, dtype=np.float32).ravel().view(np.uint32).astype(np.uint64)
    with np.errstate(over="ignore"):
        return int(((bits + np.uint64(1)) * splitmix64(np.arange(bits.size, dtype=np.uint64))).sum(dtype=np.uint64))


def bell(n):
    """Sums of the four 16-bit fields of SplitMix64, scaled to about -0.08 .. 0.08: bell-shaped values."""
    fields = splitmix64(np.arange(n, dtype=np.uint64)).view(np.uint16).reshape(-1, 4).astype(np.float32)
    return (fields.sum(axis=1) - np.float32(131070)) * np.float32(2.0**-21)


def main():
    for seed, (kind, scales) in enumerate(TYPES):
        data = blocks(seed, kind, scales)
        values = quants.dequantize(data.reshape(-1), kind)
        assert values.size == N_VALUES and not np.isnan(values).any()
        print(f"{kind.name:8} 0x{digest(values):016x}")
    print("quantized:")
    for kind in (T.F16, T.BF16, T.Q8_0, T.Q4_0, T.Q5_0, T.Q5_1):
        data = quants.quantize(bell(N_VALUES), kind).view(np.uint8)
        print(f"{kind.name:8} 0x{digest(data.astype(np.float32)):016x}")


if __name__ == "__main__":
    main()
