"""Writes small JPEG-LS streams and digests of the samples they hold, for crates/codecs/tests/goldens/jpeg_ls.

    python reference/jpeg_ls_files.py crates/codecs/tests/goldens/jpeg_ls

Needs numpy and pyjpegls 1.5.1 (CharLS 2.4.2). Streams named `charls-…` are CharLS's. The others come from the plain
encoder below, written from ITU-T T.87, for what pyjpegls does not write: presets, restart intervals, two components,
several scans of several components. What CharLS can read of those is compared with what it reads.

MANIFEST has one line a stream: name, width, height, components, bits, and the FNV-1a digest (64 bits) of the samples,
row-major, components side by side, little-endian where there are more than 8 bits.
"""

import struct
import sys
from pathlib import Path

import numpy as np
from _CharLS import _encode
from jpeg_ls import decode_buffer

OUT = Path(sys.argv[1])
OUT.mkdir(parents=True, exist_ok=True)
RNG = np.random.default_rng(87)
J = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15]
NONE, LINE, SAMPLE = 0, 1, 2


def picture(height, width, n, bits, max_value=None):
    """Flat patches, a gradient and noise, so that runs, contexts and escapes all occur."""
    top = max_value or (1 << bits) - 1
    y, x = np.mgrid[0:height, 0:width]
    slope = (x * 2 + y) / (2 * width + height) * top
    patches = RNG.integers(0, top + 1, (height // 4 + 1, width // 6 + 1)).repeat(4, 0).repeat(6, 1)[:height, :width]
    base = np.where((x // 5 + y // 4) % 3 == 0, patches, np.where(x < width // 3, top // 3, slope))
    noise = (RNG.random((height, width, n)) < 0.3) * RNG.integers(-2, 3, (height, width, n))
    spikes = (RNG.random((height, width, n)) < 0.02) * top
    return np.clip(base[..., None].astype(int) + noise + spikes, 0, top).astype(np.uint8 if bits <= 8 else np.uint16)


class Bits:
    """C.1: after a byte of ones, a zero bit is stuffed."""

    def __init__(self):
        self.bytes, self.bits, self.n = bytearray(), 0, 0

    def put(self, value, n):
        for index in reversed(range(n)):
            self.bits = self.bits << 1 | (value >> index & 1)
            self.n += 1
            if self.n == (7 if self.bytes and self.bytes[-1] == 0xFF else 8):
                self.bytes.append(self.bits)
                self.bits, self.n = 0, 0

    def end(self):
        while self.n or (self.bytes and self.bytes[-1] == 0xFF):
            self.put(0, 1)
        return bytes(self.bytes)


def default_thresholds(max_value, near):
    """C.2.4.1.1.1."""

    def clamp(value, least):
        return least if value > max_value or value < least else value

    if max_value >= 128:
        factor = (min(max_value, 4095) + 128) // 256
        t = [factor * (b - o) + o + m * near for b, o, m in ((3, 2, 3), (7, 3, 5), (21, 4, 7))]
    else:
        factor = 256 // (max_value + 1)
        t = [max(o, b // factor + m * near) for b, o, m in ((3, 2, 3), (7, 3, 5), (21, 4, 7))]
    t1 = clamp(t[0], near + 1)
    t2 = clamp(t[1], t1)
    return t1, t2, clamp(t[2], t2)


class Encoder:
    """Annex A, with the names of the standard."""

    def __init__(self, max_value, near, thresholds, reset):
        self.maxval, self.near, self.t, self.reset = max_value, near, thresholds, reset
        self.range = (max_value + 2 * near) // (2 * near + 1) + 1
        self.qbpp = (self.range - 1).bit_length()
        bpp = max(2, max_value.bit_length())
        self.limit = 2 * (bpp + max(8, bpp))
        self.restart()

    def restart(self):
        first = max(2, (self.range + 32) // 64)
        self.a, self.b, self.c, self.n = [first] * 367, [0] * 365, [0] * 365, [1] * 367
        self.nn = [0, 0]
        self.bits = Bits()

    def region(self, d):
        t1, t2, t3 = self.t
        size = sum(abs(d) >= t for t in (self.near + 1, t1, t2, t3))
        return size if d >= 0 else -size

    def context(self, a, b, c, d):
        return 81 * self.region(d - b) + 9 * self.region(b - c) + self.region(c - a)

    def golomb(self, value, k, limit):
        high = value >> k
        if high < limit - self.qbpp - 1:
            self.bits.put(1, high + 1)
            self.bits.put(value & ((1 << k) - 1), k)
        else:
            self.bits.put(1, limit - self.qbpp)
            self.bits.put(value - 1, self.qbpp)

    def error(self, sample, predicted, sign):
        """The error value, and the sample that the decoder will have."""
        step = 2 * self.near + 1
        error = sign * (sample - predicted)
        error = (error + self.near) // step if error > 0 else -((self.near - error) // step)
        rebuilt = min(max(predicted + sign * error * step, 0), self.maxval)
        if error < 0:
            error += self.range
        if error >= (self.range + 1) // 2:
            error -= self.range
        return error, rebuilt

    def regular(self, sample, q, a, b, c):
        sign = 1 if q >= 0 else -1
        q = abs(q)
        predicted = min(a, b) if c >= max(a, b) else max(a, b) if c <= min(a, b) else a + b - c
        predicted = min(max(predicted + sign * self.c[q], 0), self.maxval)
        error, rebuilt = self.error(sample, predicted, sign)
        k = 0
        while self.n[q] << k < self.a[q]:
            k += 1
        if self.near == 0 and k == 0 and 2 * self.b[q] <= -self.n[q]:
            mapped = 2 * error + 1 if error >= 0 else -2 * (error + 1)
        else:
            mapped = 2 * error if error >= 0 else -2 * error - 1
        self.golomb(mapped, k, self.limit)
        self.b[q] += error * (2 * self.near + 1)
        self.a[q] += abs(error)
        if self.n[q] == self.reset:
            self.a[q], self.b[q], self.n[q] = self.a[q] >> 1, self.b[q] >> 1, self.n[q] >> 1
        self.n[q] += 1
        if self.b[q] <= -self.n[q]:
            self.b[q] = max(self.b[q] + self.n[q], 1 - self.n[q])
            self.c[q] = max(self.c[q] - 1, -128)
        elif self.b[q] > 0:
            self.b[q] = min(self.b[q] - self.n[q], 0)
            self.c[q] = min(self.c[q] + 1, 127)
        return rebuilt

    def run(self, n, run_index, is_at_end):
        while n >= 1 << J[run_index]:
            self.bits.put(1, 1)
            n -= 1 << J[run_index]
            run_index = min(run_index + 1, 31)
        if not is_at_end:
            self.bits.put(0, 1)
            self.bits.put(n, J[run_index])
        elif n > 0:
            self.bits.put(1, 1)
        return run_index

    def interruption(self, sample, kind, a, b, run_index):
        predicted = a if kind else b
        error, rebuilt = self.error(sample, predicted, -1 if not kind and a > b else 1)
        q = 365 + kind
        temp = self.a[q] + (self.n[q] >> 1 if kind else 0)
        k = 0
        while self.n[q] << k < temp:
            k += 1
        few = 2 * self.nn[kind] < self.n[q]
        map_ = (k == 0 and error > 0 and few) or (error < 0 and not few) or (error < 0 and k != 0)
        mapped = 2 * abs(error) - kind - int(map_)
        self.golomb(mapped, k, self.limit - J[run_index] - 1)
        self.nn[kind] += error < 0
        self.a[q] += (mapped + 1 - kind) >> 1
        if self.n[q] == self.reset:
            self.a[q], self.n[q], self.nn[kind] = self.a[q] >> 1, self.n[q] >> 1, self.nn[kind] >> 1
        self.n[q] += 1
        return rebuilt

    def line(self, above, samples, run_index):
        """Encodes `[width, n]` samples that alternate below the padded line `above`; gives the padded line."""
        width, n = samples.shape
        above[width + 1] = above[width]
        line = np.zeros((width + 2, n), int)
        line[0] = above[1]
        x = 1
        while x <= width:
            a, b, c, d = line[x - 1].tolist(), above[x].tolist(), above[x - 1].tolist(), above[x + 1].tolist()
            q = [self.context(*neighbours) for neighbours in zip(a, b, c, d)]
            if any(q):
                line[x] = [self.regular(int(samples[x - 1, i]), q[i], a[i], b[i], c[i]) for i in range(n)]
                x += 1
                continue
            start = x
            while x <= width and (abs(samples[x - 1].astype(int) - a) <= self.near).all():
                line[x] = a
                x += 1
            run_index = self.run(x - start, run_index, x > width)
            if x <= width:
                b = above[x].tolist()
                kinds = [int(n == 1 and abs(a[i] - b[i]) <= self.near) for i in range(n)]
                line[x] = [self.interruption(int(samples[x - 1, i]), kinds[i], a[i], b[i], run_index) for i in range(n)]
                run_index = max(run_index - 1, 0)
                x += 1
        return line, run_index


def segment(marker, body):
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def frame_header(height, width, bits, n):
    components = b"".join(bytes([index + 1, 0x11, 0]) for index in range(n))
    return segment(0xF7, struct.pack(">BHHB", bits, height, width, n) + components)


def scan(samples, components, interleave, encoder, interval):
    """The scan header and the coded lines of some components; also the samples that come out."""
    height, width, _ = samples.shape
    body = bytes([len(components)]) + b"".join(bytes([c + 1, 0]) for c in components)
    coded = segment(0xDA, body + bytes([encoder.near, interleave, 0]))
    groups = [components] if interleave == SAMPLE else [[c] for c in components]
    rebuilt = samples.copy()
    encoder.restart()
    for y in range(height):
        if y % (interval or height) == 0:
            if y:
                coded += encoder.bits.end() + bytes([0xFF, 0xD0 + (y // interval - 1) % 8])
                encoder.restart()
            above = [np.zeros((width + 2, len(group)), int) for group in groups]
            run_index = [0] * len(groups)
        for index, group in enumerate(groups):
            above[index], run_index[index] = encoder.line(above[index], samples[y][:, group], run_index[index])
            rebuilt[y][:, group] = above[index][1:-1]
    return coded + encoder.bits.end(), rebuilt


def encode(samples, bits, scans, near=0, max_value=None, thresholds=None, reset=None, interval=0, n_interval_bytes=2,
           is_oversize=False):
    """`scans` are pairs of component indices and interleave mode."""
    height, width, n = samples.shape
    coded = b"\xff\xd8" + (frame_header(0, 0, bits, n) if is_oversize else frame_header(height, width, bits, n))
    if is_oversize:
        coded += segment(0xF8, b"\4\4" + struct.pack(">II", height, width))
    if max_value or thresholds or reset:
        coded += segment(0xF8, struct.pack(">BHHHHH", 1, max_value or 0, *(thresholds or (0, 0, 0)), reset or 0))
    if interval:
        coded += segment(0xDD, interval.to_bytes(n_interval_bytes, "big"))
    top = max_value or (1 << bits) - 1
    rebuilt = samples.copy()
    for components, interleave in scans:
        encoder = Encoder(top, near, thresholds or default_thresholds(top, near), reset or 64)
        part, out = scan(samples, components, interleave, encoder, interval)
        coded += part
        rebuilt[..., components] = out[..., components]
    assert np.abs(rebuilt.astype(int) - samples).max() <= near
    return coded + b"\xff\xd9", rebuilt


def charls(coded):
    """What CharLS reads, or none where it does not read such streams."""
    try:
        buffer, info = decode_buffer(coded)
    except RuntimeError as error:
        assert "not supported" in str(error), error
        return None
    shape = info["height"], info["width"], info["components"]
    samples = np.frombuffer(buffer, np.uint8 if info["bits_per_sample"] <= 8 else "<u2")
    if info["interleave_mode"] == NONE:
        return samples.reshape(shape[2], *shape[:2]).transpose(1, 2, 0)
    return samples.reshape(shape)


def digest(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % (1 << 64)
    return f"{value:016x}"


MANIFEST = []


def save(name, coded, samples, bits):
    height, width, n = samples.shape
    data = np.ascontiguousarray(samples).astype("u1" if bits <= 8 else "<u2").tobytes()
    (OUT / f"{name}.jls").write_bytes(coded)
    MANIFEST.append(f"{name}\t{width}\t{height}\t{n}\t{bits}\t{digest(data)}")


def save_charls(name, samples, bits, near=0, interleave=NONE):
    height, width, n = samples.shape
    data = np.ascontiguousarray(samples.transpose(2, 0, 1) if interleave == NONE else samples).tobytes()
    # Room for the coded bytes is twice that of the data, too little for a handful of pixels: hence the bytes after them.
    coded = bytes(_encode(data + bytes(200), near, interleave, height, width, n, bits))
    read = charls(coded)
    assert np.abs(read.astype(int) - samples).max() <= near, name
    # The plain encoder writes the very same bytes between the headers; it is thereby checked by CharLS.
    scans = [([c], NONE) for c in range(n)] if interleave == NONE else [(list(range(n)), interleave)]
    ours, rebuilt = encode(samples, bits, scans, near)
    assert (rebuilt == read).all(), name
    assert ours[ours.index(b"\xff\xda"):] == coded[coded.index(b"\xff\xda"):], name
    save(name, coded, read, bits)


def save_ours(name, samples, bits, scans, is_charls=True, **options):
    coded, rebuilt = encode(samples, bits, scans, **options)
    if is_charls:
        read = charls(coded)
        assert read is not None and (read == rebuilt).all(), name
    save(name, coded, rebuilt, bits)


def main():
    for bits in (2, 5, 8, 10, 12, 16):
        save_charls(f"charls-gray{bits}", picture(13, 19, 1, bits), bits)
    for bits, near in ((4, 1), (8, 3), (12, 2), (16, 9), (16, 255)):
        save_charls(f"charls-gray{bits}-near{near}", picture(13, 19, 1, bits), bits, near)
    for interleave in (NONE, LINE, SAMPLE):
        save_charls(f"charls-rgb8-ilv{interleave}", picture(9, 14, 3, 8), 8, 0, interleave)
        save_charls(f"charls-rgb12-ilv{interleave}-near2", picture(9, 14, 3, 12), 12, 2, interleave)
    save_charls("charls-four8-ilv1", picture(7, 11, 4, 8), 8, 0, LINE)
    save_charls("charls-four16-ilv2", picture(7, 11, 4, 16), 16, 0, SAMPLE)
    for height, width in ((1, 1), (1, 40), (40, 1), (2, 2)):
        save_charls(f"charls-{width}x{height}", picture(height, width, 1, 12), 12)
    save_charls("charls-flat", np.full((30, 200, 1), 77, np.uint16), 12)
    save_charls("charls-noise", RNG.integers(0, 65536, (12, 16, 1)).astype(np.uint16), 16)
    save_charls("charls-extremes", (RNG.integers(0, 2, (12, 16, 1)) * 65535).astype(np.uint16), 16)

    gray = [([0], NONE)]
    save_ours("preset-thresholds", picture(13, 19, 1, 12), 12, gray, max_value=4095, thresholds=(9, 33, 100), reset=31)
    # CharLS takes MAXVAL for the thresholds only, where T.87 derives RANGE, qbpp and LIMIT from it too: it fails on these.
    for bits, max_value, near in ((12, 3000, 0), (8, 200, 4), (16, 4095, 0), (16, 256, 1)):
        name = f"preset-max-value{max_value}-gray{bits}-near{near}"
        samples = picture(13, 19, 1, bits, max_value)
        save_ours(name, samples, bits, gray, is_charls=False, max_value=max_value, near=near)
    save_ours("preset-reset", picture(13, 19, 1, 8), 8, gray, reset=3)
    save_ours("restarts", picture(13, 19, 1, 12), 12, gray, interval=3)
    save_ours("restarts-many", picture(23, 7, 1, 8), 8, gray, interval=1, n_interval_bytes=3)
    save_ours("restarts-rgb-ilv1", picture(9, 14, 3, 8), 8, [([0, 1, 2], LINE)], interval=2, n_interval_bytes=4)
    save_ours("restarts-rgb-ilv2", picture(9, 14, 3, 8), 8, [([0, 1, 2], SAMPLE)], interval=4, near=1)
    save_ours("restarts-rgb-ilv0", picture(9, 14, 3, 8), 8, [([c], NONE) for c in range(3)], interval=5)
    save_ours("two-ilv1", picture(9, 14, 2, 8), 8, [([0, 1], LINE)], is_charls=False)
    save_ours("two-ilv2", picture(9, 14, 2, 12), 12, [([0, 1], SAMPLE)], is_charls=False)
    save_ours("pair-and-one", picture(9, 14, 3, 8), 8, [([0, 2], SAMPLE), ([1], NONE)], is_charls=False)
    save_ours("backwards", picture(9, 14, 3, 8), 8, [([c], NONE) for c in (2, 1, 0)], is_charls=False)
    save_ours("oversize", picture(13, 19, 1, 8), 8, gray, is_charls=False, is_oversize=True)
    (OUT / "MANIFEST").write_text("\n".join(MANIFEST) + "\n")


if __name__ == "__main__":
    main()
