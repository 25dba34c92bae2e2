"""Writes small HTJ2K codestreams and the samples that must come out of them, for crates/codecs/tests/goldens/htj2k.

    python reference/htj2k_files.py crates/codecs/tests/goldens/htj2k

Needs numpy, imagecodecs 2026.3.6 (OpenJPH 0.26.3), pylibjpeg-openjpeg 2.6.0 (OpenJPEG) and the program `ojph_compress`
of OpenJPH 0.9.0 (Debian: openjph-tools); versions of the files that are committed. The expected samples are those that
OpenJPEG decodes. Of lossless files they are also compared with the picture that went in.

No free encoder writes the two refining passes. Files named `passes-*` take a cleanup segment of OpenJPH, move it up by
some bit-planes and add a refining segment of random bytes, which any decoder reads as some refinement or other. Those named
`layers-*` and `placeholder-*` hold the same passes in three layers, and after passes that hold nothing.

MANIFEST has one line a file: name, width, height, components, bits, signed or unsigned, and FNV-1a of the samples
(little-endian, of 8 bits up to 8 and of 16 bits above, components of a pixel side by side). Samples of lossy files,
which may differ by one, are in NAME.samples instead.
"""

import io
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import imagecodecs
import numpy as np
from openjpeg.utils import decode

OUT = Path(sys.argv[1])
OUT.mkdir(parents=True, exist_ok=True)
RNG = np.random.default_rng(20261124)
W, H = 25, 19
MANIFEST = []


def picture(width, height, channels, bits):
    """A gradient with noise, a flat half, an edge."""
    y, x = np.mgrid[0:height, 0:width]
    base = (x / width * 0.6 + y / height * 0.4)[..., None] * np.linspace(0.5, 1.0, channels)
    base = base + RNG.uniform(-0.06, 0.06, base.shape)
    base[height // 2 :, width // 2 :] = 0.25
    top = (1 << bits) - 1
    array = np.clip(np.round(base * top), 0, top).astype(np.uint8 if bits <= 8 else np.uint16)
    return array[..., 0] if channels == 1 else array


def openjph(array, bits, **options):
    """Codes an array of unsigned samples with ojph_compress; options as it names them."""
    height, width = array.shape[:2]
    kind = "P5" if array.ndim == 2 else "P6"
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / ("a.pgm" if kind == "P5" else "a.ppm"), Path(folder) / "a.j2c"
        head = f"{kind}\n{width} {height}\n{(1 << bits) - 1}\n".encode()
        source.write_bytes(head + array.astype(">u2" if bits > 8 else "u1").tobytes())
        command = ["ojph_compress", "-i", source, "-o", target]
        for name, value in options.items():
            command += [f"-{name}", str(value)]
        subprocess.run(command, check=True, capture_output=True)
        return target.read_bytes()


def fnv1a(data):
    digest = 0xCBF29CE484222325
    for byte in data:
        digest = (digest ^ byte) * 0x100000001B3 % 2**64
    return f"{digest:016x}"


def keep(name, stream, bits, is_signed=False, source=None, is_exact=True, same_as=None):
    """Writes a codestream, its line, and samples if they are not exact; they are those of `same_as`, if given."""
    samples = np.asarray(decode(io.BytesIO(same_as or stream), j2k_format=0))
    assert source is None or (samples == source).all(), f"{name}: OpenJPEG decodes other samples than those that went in"
    raw = samples.astype(samples.dtype.newbyteorder("<")).tobytes()
    (OUT / f"{name}.j2c").write_bytes(stream)
    if not is_exact:
        (OUT / f"{name}.samples").write_bytes(raw)
    height, width = samples.shape[:2]
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    sign = "signed" if is_signed else "unsigned"
    MANIFEST.append(f"{name}\t{width}\t{height}\t{channels}\t{bits}\t{sign}\t{fnv1a(raw) if is_exact else 'rounded'}")


class BitReader:
    """Bits of a packet header (T.800, B.10.1)."""

    def __init__(self, data):
        self.data, self.at, self.left, self.byte = data, 0, 0, 0

    def bit(self):
        if self.left == 0:
            self.left = 7 if self.byte == 0xFF else 8
            self.byte = self.data[self.at]
            self.at += 1
        self.left -= 1
        return self.byte >> self.left & 1


class BitWriter:
    def __init__(self):
        self.data, self.byte, self.left = bytearray(), 0, 8

    def bits(self, value, n):
        for k in range(n - 1, -1, -1):
            self.left -= 1
            self.byte |= (value >> k & 1) << self.left
            if self.left == 0:
                self.data.append(self.byte)
                self.left = 7 if self.byte == 0xFF else 8
                self.byte = 0

    def done(self):
        if self.left != 8:
            self.data.append(self.byte)
        return bytes(self.data)


def cleanup_of(stream):
    """Missing bit-planes and cleanup segment of a picture of one code-block and no decomposition."""
    body = stream[stream.index(b"\xff\x93") + 2 :]
    reader = BitReader(body)
    assert reader.bit() and reader.bit(), "the packet and its block are there"
    n_missing = 0
    while not reader.bit():
        n_missing += 1
    assert not reader.bit(), "one pass"
    n_length_bits = 3
    while reader.bit():
        n_length_bits += 1
    length = 0
    for _ in range(n_length_bits):
        length = length << 1 | reader.bit()
    return n_missing, body[reader.at : reader.at + length]


def refining(length):
    """Random bytes without the pairs that no writer makes."""
    data = bytearray(RNG.integers(0, 256, length).astype(np.uint8).tobytes())
    for k in range(1, length):
        if data[k - 1] == 0xFF:
            data[k] &= 0x7F
    data[-1] &= 0x7F
    return bytes(data)


PASSES = {1: (0b0, 1), 2: (0b10, 2), 3: (0b1100, 4), 4: (0b1101, 4), 6: (0b111100000, 9)}


def packet(n_length_bits, cleanup, segment, n_refining, n_missing=0, n_sets=0):
    """A packet of one code-block, and the bits that its next length has.

    `cleanup` is None where an earlier packet had it. `n_sets` bit-planes are left to passes that hold nothing and stand
    before the cleanup pass, three for each.
    """
    head = BitWriter()
    head.bits(0b11, 2)
    n_passes = n_refining
    lengths = []
    if cleanup is not None:
        head.bits(1, n_missing - n_sets + 1)
        n_passes += 1 + 3 * n_sets
        lengths.append((cleanup, 3 * n_sets + 1))
    if n_refining:
        lengths.append((segment, n_refining))
    head.bits(*PASSES[n_passes])
    needed = max(len(part).bit_length() - n.bit_length() + 1 for part, n in lengths)
    increments = max(0, needed - n_length_bits)
    head.bits((2 << increments) - 2, increments + 1)
    n_length_bits += increments
    for part, n in lengths:
        head.bits(len(part), n_length_bits + n.bit_length() - 1)
    return head.done() + b"".join(part for part, _ in lengths), n_length_bits


def codestream(width, height, packets, n_planes, is_causal):
    """Signed samples of 16 bits, one code-block, no decomposition, one layer for each packet."""

    def marker(code, payload):
        return struct.pack(">HH", code, len(payload) + 2) + payload

    body = b"".join(packets)
    n_guard_bits = 3
    exponent = n_planes + 1 - n_guard_bits
    size = struct.pack(">HIIIIIIIIHBBB", 0x4000, width, height, 0, 0, width, height, 0, 0, 1, 0x8F, 1, 1)
    coding = struct.pack(">BBHBBBBBB", 0, 0, len(packets), 0, 0, 4, 4, 0x40 | (8 if is_causal else 0), 1)
    return (
        b"\xff\x4f"
        + marker(0xFF51, size)
        + marker(0xFF50, struct.pack(">IH", 0x00020000, 0))
        + marker(0xFF52, coding)
        + marker(0xFF5C, bytes([n_guard_bits << 5, exponent << 3]))
        + marker(0xFF90, struct.pack(">HIBB", 0, 14 + len(body), 0, 1))
        + b"\xff\x93"
        + body
        + b"\xff\xd9"
    )


def keep_passes(array):
    """The same block some bit-planes higher, with passes below it; in layers, and after bit-planes that hold nothing."""
    height, width = array.shape
    n_missing, cleanup = cleanup_of(openjph(array, 16, num_decomps=0, reversible="true", block_size="{64,64}"))
    for n_refining, n_below, is_causal in ((0, 2, False), (1, 1, False), (1, 3, True), (2, 1, False), (2, 5, True)):
        segment = refining(24) if n_refining else b""
        n_planes = n_missing + 1 + n_below
        one, _ = packet(3, cleanup, segment, n_refining, n_missing)
        whole = codestream(width, height, [one], n_planes, is_causal)
        keep(f"passes-{n_refining + 1}-{'causal' if is_causal else 'free'}", whole, 16, True)
        if n_refining != 2:
            continue
        # OpenJPEG takes neither; they hold what the stream above holds.
        first, n_length_bits = packet(3, cleanup, b"", 0, n_missing)
        second, n_length_bits = packet(n_length_bits, None, segment[:9], 1)
        third, _ = packet(n_length_bits, None, segment[9:], 1)
        layers = codestream(width, height, [first, second, third], n_planes, is_causal)
        keep(f"layers-{'causal' if is_causal else 'free'}", layers, 16, True, same_as=whole)
        placeholder, _ = packet(3, cleanup, segment, n_refining, n_missing, n_sets=1)
        stream = codestream(width, height, [placeholder], n_planes, is_causal)
        keep(f"placeholder-{'causal' if is_causal else 'free'}", stream, 16, True, same_as=whole)


gray8, gray16, rgb8 = picture(W, H, 1, 8), picture(W, H, 1, 16), picture(W, H, 3, 8)
LOSSLESS = {"reversible": "true"}
for order in ("LRCP", "RLCP", "RPCL", "PCRL", "CPRL"):
    stream = openjph(rgb8, 8, prog_order=order, num_decomps=2, precincts="{8,8},{16,16}", block_size="{8,8}", **LOSSLESS)
    keep(f"rgb8-{order.lower()}", stream, 8, source=rgb8)
keep("gray8-blocks-4x4", openjph(gray8, 8, block_size="{4,4}", num_decomps=1, **LOSSLESS), 8, source=gray8)
keep("gray16-block-1024x4", openjph(gray16, 16, block_size="{4,1024}", num_decomps=1, **LOSSLESS), 16, source=gray16)
keep("gray16-tiles", openjph(gray16, 16, tile_size="{16,16}", num_decomps=2, **LOSSLESS), 16, source=gray16)
keep("gray16", openjph(gray16, 16, **LOSSLESS), 16, source=gray16)
signed = (gray16.astype(np.int32) - 32768).astype(np.int16)
keep("gray16-signed", bytes(imagecodecs.htj2k_encode(signed, reversible=True)), 16, True, source=signed)
one = picture(1, 1, 1, 8)
keep("gray8-1x1", openjph(one, 8, **LOSSLESS), 8, source=one)
flat = np.full((H, W), 77, np.uint8)
keep("gray8-flat", openjph(flat, 8, **LOSSLESS), 8, source=flat)
keep("gray8-lossy", openjph(gray8, 8, qstep=0.01), 8, is_exact=False)
keep("gray16-lossy", openjph(gray16, 16, qstep=0.002), 16, is_exact=False)
keep("rgb8-lossy", openjph(rgb8, 8, qstep=0.02), 8, is_exact=False)
sparse = np.round(RNG.laplace(0, 9, (14, 18)) * (RNG.random((14, 18)) < 0.3)).astype(np.int32)
sparse = (sparse + 32768).astype(np.uint16)
keep_passes(sparse)
(OUT / "MANIFEST").write_text("\n".join(sorted(MANIFEST)) + "\n")
