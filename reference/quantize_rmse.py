"""What quantized blocks lose, beside llama.cpp's own quantizer without an importance matrix.

    cargo build --release -p lightbox-kernels --example quantize
    python quantize_rmse.py TARGET/release/examples/quantize FOLDER/libggml-base.so

Needs numpy and gguf (PyPI), and libggml-base of a built llama.cpp. Prints the root mean square error of both relative
to the values' own, and whether the bytes are the same. `real-like` rows have a spread of their own, heavy tails
(Student's t with five degrees of freedom) and a few columns that are larger, as trained weights have; `formula` is what the test of the kernels
makes too.
"""

import ctypes
import subprocess
import sys

import numpy as np
from gguf import GGMLQuantizationType as T
from gguf import quants

from gguf_blocks import bell

ROWS, COLUMNS = 512, 2560


def sets():
    random = np.random.default_rng(7)
    gaussian = random.standard_normal((ROWS, COLUMNS)) * 0.02
    spread = np.exp(random.standard_normal((ROWS, 1)) * 0.3) * 0.015
    columns = np.where(random.random((1, COLUMNS)) < 0.01, 4.0, 1.0)
    real = random.standard_t(5, (ROWS, COLUMNS)) * spread * columns
    uniform = random.uniform(-0.03, 0.05, (ROWS, COLUMNS))
    return {"formula": bell(ROWS * COLUMNS).reshape(ROWS, COLUMNS), "gaussian": gaussian, "real-like": real, "uniform, shifted": uniform}


def ours(program, kind, values):
    run = subprocess.run([program, kind.name.lower()], input=values.tobytes(), capture_output=True, check=True)
    return np.frombuffer(run.stdout, np.uint8), run.stderr.decode().strip()


def theirs(library, kind, values):
    out = np.empty(quants.quant_shape_to_byte_shape(values.shape, kind), np.uint8)
    size = library.ggml_quantize_chunk(
        ctypes.c_int(kind.value),
        values.ctypes.data_as(ctypes.c_void_p),
        out.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_int64(0),
        ctypes.c_int64(values.shape[0]),
        ctypes.c_int64(values.shape[1]),
        None,
    )
    assert size == out.size
    return out.ravel()


def main():
    program, library = sys.argv[1], ctypes.CDLL(sys.argv[2])
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    for name, values in sets().items():
        values = np.ascontiguousarray(values, dtype=np.float32)
        rms = np.sqrt(np.mean(values.astype(np.float64) ** 2))
        for kind in [T.Q8_0, T.Q6_K, T.Q5_K, T.Q4_K, T.Q4_0, T.Q5_0, T.Q5_1]:
            a, note = ours(program, kind, values)
            b = theirs(library, kind, values)
            error = [
                np.sqrt(np.mean((quants.dequantize(x, kind).astype(np.float64) - values.ravel()) ** 2)) / rms
                for x in (a, b)
            ]
            same = " same bytes" if np.array_equal(a, b) else ""
            print(
                f"{name:17} {kind.name:5} lightbox {error[0]:.6f}  llama.cpp {error[1]:.6f}"
                f"  ratio {error[0] / error[1]:.4f}{same}   {note}"
            )


if __name__ == "__main__":
    main()
