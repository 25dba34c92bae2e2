"""Large films for run.py, made from a formula and coded by pydicom's own encoders, Pillow and the lossless JPEG below.

A chest-like 2140 × 1760 film of 16 bits, a 4096 × 3328 mammogram-like one of 12, a 512 × 512 slice of 16 signed bits:
smooth shapes, fine texture and noise, so that they compress about as much as films do.
"""

import io
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

SHAPES = {"cr": (2140, 1760, 16, 0), "mg": (4096, 3328, 12, 0), "ct": (512, 512, 16, 1)}
CODINGS = {
    "uncompressed": ExplicitVRLittleEndian,
    "rle": RLELossless,
    "jpeg-lossless": JPEGLosslessSV1,
    "jpeg-2000": JPEG2000Lossless,
    "jpeg-ls": JPEGLSLossless,
}


def picture(rows: int, columns: int, bits: int, signed: int) -> np.ndarray:
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0 : 1 : rows * 1j, 0 : 1 : columns * 1j]
    shape = np.exp(-(((x - 0.3) / 0.18) ** 2 + ((y - 0.5) / 0.35) ** 2))
    shape += np.exp(-(((x - 0.7) / 0.18) ** 2 + ((y - 0.5) / 0.35) ** 2))
    shape += 0.05 * np.sin(60 * y + 8 * x) * (shape > 0.2)
    top = 2**bits - 1 if not signed else 3000
    # Films use part of their range, and their noise is a few levels of 4096.
    noise = rng.normal(0, max(top / 4096, 1) * 2, (rows, columns))
    values = np.clip((0.15 + 0.6 * shape / shape.max()) * top + noise, 0, top)
    values[:, : columns // 10] = 0
    return (values - 1024).astype(np.int16) if signed else values.astype(np.uint16)


def dataset(values: np.ndarray, bits: int) -> pydicom.Dataset:
    ds = pydicom.Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = values.shape
    ds.BitsAllocated = 8 * values.dtype.itemsize
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation = bits, bits - 1, int(values.dtype.kind == "i")
    ds.PixelData = values.tobytes()
    ds["PixelData"].VR = "OW"
    return ds


def write(folder: Path) -> dict[str, list[Path]]:
    """Writes all films; the paths by coding."""
    made: dict[str, list[Path]] = {}

    def save(ds, coding, name):
        path = folder / f"made-{name}-{coding}.dcm"
        ds.save_as(path, enforce_file_format=True)
        made.setdefault(coding, []).append(path)

    for name, (rows, columns, bits, signed) in SHAPES.items():
        values = picture(rows, columns, bits, signed)
        for coding, syntax in CODINGS.items():
            ds = dataset(values, bits)
            if syntax == JPEGLosslessSV1:
                encapsulated(ds, lossless_jpeg(values.view(np.uint16), 16), syntax)
            elif syntax != ExplicitVRLittleEndian:
                ds.compress(syntax, generate_instance_uid=False)
            save(ds, coding, name)
        eight = np.clip(values.astype(np.int64) >> (bits - 8), 0, 255).astype(np.uint8)
        coded = io.BytesIO()
        Image.fromarray(eight).save(coded, "JPEG", quality=90)
        ds = dataset(eight, 8)
        encapsulated(ds, coded.getvalue(), JPEGBaseline8Bit)
        save(ds, "jpeg-baseline", name)
    return made


def encapsulated(ds, coded: bytes, syntax) -> None:
    ds.PixelData = encapsulate([coded])
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = syntax


def lossless_jpeg(values: np.ndarray, precision: int) -> bytes:
    """ITU-T T.81 annex H: predictor 1 (the sample to the left), one table made for these differences."""
    rows, columns = values.shape
    left = np.empty((rows, columns), np.int32)
    left[:, 1:] = values[:, :-1]
    left[1:, 0] = values[:-1, 0]
    left[0, 0] = 1 << (precision - 1)
    difference = (values - left + 32768) % 65536 - 32768
    size = np.ceil(np.log2(np.abs(difference) + 1)).astype(np.int32)
    # -32768 is sent as size 16 without further bits.
    size[difference == -32768] = 16
    counts, symbols, codes, lengths = table(np.bincount(size.ravel(), minlength=17))
    n_extra = np.where(size == 16, 0, size)
    extra = np.where(size == 16, 0, np.where(difference < 0, difference + (1 << size) - 1, difference))
    word = (codes[size].astype(np.int64) << n_extra) | extra
    length = lengths[size] + n_extra
    pieces = []
    for row_word, row_length in zip(word, length):
        at = np.arange(int(row_length.max()))
        bits = (row_word[:, None] >> np.maximum(row_length[:, None] - 1 - at, 0)) & 1
        pieces.append(bits[at < row_length[:, None]].astype(np.uint8))
    stream = np.concatenate(pieces)
    stream = np.concatenate([stream, np.ones(-len(stream) % 8, np.uint8)])
    scan = np.packbits(stream).tobytes().replace(b"\xff", b"\xff\x00")
    sof = bytes([0, 11, precision, rows >> 8, rows & 255, columns >> 8, columns & 255, 1, 1, 0x11, 0])
    dht = bytes([0, 19 + len(symbols), 0, *counts, *symbols])
    sos = bytes([0, 8, 1, 1, 0, 1, 0, 0])
    return b"\xff\xd8\xff\xc3" + sof + b"\xff\xc4" + dht + b"\xff\xda" + sos + scan + b"\xff\xd9"


def table(frequencies: np.ndarray):
    """Huffman's code of the sizes 0 to 16: how many codes of each length, the sizes in order, code and length by size.

    A symbol that never comes takes the code of all ones, which JPEG leaves free. Eighteen symbols cannot need more than
    16 bits here: each has a count of at least one, and the film has fewer samples than a code so deep would take.
    """
    heap = [(int(f) + 1, [s]) for s, f in enumerate(frequencies)] + [(0, [99])]
    depth = dict.fromkeys([*range(17), 99], 0)
    while len(heap) > 1:
        heap.sort(key=lambda node: node[0])
        (fa, a), (fb, b), *heap = heap
        for s in a + b:
            depth[s] += 1
        heap.append((fa + fb, a + b))
    if max(depth.values()) > 16:
        raise ValueError("a code of more than 16 bits")
    order = sorted((s for s in depth if s != 99), key=lambda s: (depth[s], s))
    codes, lengths, code, previous = np.zeros(17, np.int64), np.zeros(17, np.int32), 0, 0
    for s in order:
        code <<= depth[s] - previous
        codes[s], lengths[s], previous = code, depth[s], depth[s]
        code += 1
    counts = [sum(depth[s] == n for s in order) for n in range(1, 17)]
    return counts, order, codes, lengths
