"""Writes small picture files and the samples that must come out of them, for crates/intake/tests/goldens.

    python reference/intake_files.py crates/intake/tests/goldens

Needs pillow 13.0.0, numpy, tifffile 2026.3.3 and imagecodecs; versions of the files that are committed. Files are
written by these libraries and by hand (PNG kinds that they do not write); the expected samples come from the array
that went in and, where Pillow can read the file, are compared with what Pillow reads. JPEG samples are Pillow's
(libjpeg-turbo).

MANIFEST has one line a file: name, width, height, channels, bits (or `refuse KIND`).
"""

import struct
import sys
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, ImageOps

OUT = Path(sys.argv[1])
OUT.mkdir(parents=True, exist_ok=True)
RNG = np.random.default_rng(20260113)
H, W = 17, 23
MANIFEST = []


def picture(channels, bits):
    """A gradient with noise, every level of the type possible."""
    y, x = np.mgrid[0:H, 0:W]
    base = (x / (W - 1) * 0.6 + y / (H - 1) * 0.4)[..., None] * np.linspace(0.5, 1.0, channels)
    noise = RNG.uniform(-0.1, 0.1, (H, W, channels))
    top = (1 << bits) - 1
    array = np.clip(np.round((base + noise) * top), 0, top).astype(np.uint8 if bits <= 8 else np.uint16)
    return array[..., 0] if channels == 1 else array


def expect(name, samples):
    samples = np.ascontiguousarray(samples)
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    bits = samples.dtype.itemsize * 8
    (OUT / f"{name}.samples").write_bytes(samples.astype("<u2" if bits == 16 else "u1").tobytes())
    MANIFEST.append(f"{name}\t{samples.shape[1]}\t{samples.shape[0]}\t{channels}\t{bits}")


def refuse(name, kind):
    MANIFEST.append(f"{name}\trefuse {kind}")


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(name, rows, color, depth, width=W, extra=(), interlace=0):
    """Writes a PNG from packed rows, filter 0."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), depth, color, 0, 0, interlace))
    data = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows), 9))
    (OUT / name).write_bytes(b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + data + chunk(b"IEND", b""))


def packed(array, depth):
    """Rows of samples of `depth` bits, high bits first."""
    rows = []
    for row in array.reshape(array.shape[0], -1):
        bits = "".join(f"{int(v):0{depth}b}" for v in row)
        bits += "0" * (-len(bits) % 8)
        rows.append(int(bits, 2).to_bytes(len(bits) // 8, "big"))
    return rows


def pngs():
    for bits in (8, 16):
        for channels, color in ((1, 0), (3, 2), (2, 4), (4, 6)):
            array = picture(channels, bits)
            name = f"c{color}-{bits}.png"
            png(name, packed(array, bits), color, bits)
            expect(name, array if channels in (1, 3) else array[..., 0] if channels == 2 else array[..., :3])
    for depth in (1, 2, 4):
        array = picture(1, depth)
        png(f"gray{depth}.png", packed(array, depth), 0, depth)
        expect(f"gray{depth}.png", (array.astype(int) * (255 // ((1 << depth) - 1))).astype(np.uint8))
        colors = RNG.integers(0, 256, (1 << depth, 3), dtype=np.uint8)
        png(f"palette{depth}.png", packed(array, depth), 3, depth, extra=[chunk(b"PLTE", colors.tobytes())])
        expect(f"palette{depth}.png", colors[array])
    array = picture(1, 8) % 40
    colors = RNG.integers(0, 256, (40, 3), dtype=np.uint8)
    clear = chunk(b"tRNS", bytes([255, 0, 128]))
    png("palette8-clear.png", packed(array, 8), 3, 8, extra=[chunk(b"PLTE", colors.tobytes()), clear])
    expect("palette8-clear.png", colors[array])
    png("palette8-outside.png", packed(array, 8), 3, 8, extra=[chunk(b"PLTE", colors[:20].tobytes())])
    refuse("palette8-outside.png", "Corrupt")
    array = picture(1, 16)
    png("gray16-clear.png", packed(array, 16), 0, 16, extra=[chunk(b"tRNS", struct.pack(">H", int(array[0, 0])))])
    expect("gray16-clear.png", array)
    profile = chunk(b"iCCP", b"p\0\0" + zlib.compress(b"not a profile"))
    array = picture(3, 8)
    png("profile.png", packed(array, 8), 2, 8, extra=[profile, chunk(b"gAMA", struct.pack(">I", 100000))])
    expect("profile.png", array)
    exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    png("exif6.png", packed(array, 8), 2, 8, extra=[chunk(b"eXIf", exif)])
    expect("exif6.png", np.rot90(array, -1))
    acTL = chunk(b"acTL", struct.pack(">II", 2, 0))
    png("animated.png", packed(array, 8), 2, 8, extra=[acTL])
    refuse("animated.png", "Unsupported")
    # Adam7, by hand.
    for name, channels, bits, color in (("adam7-gray16.png", 1, 16, 0), ("adam7-gray2.png", 1, 2, 0), ("adam7-rgb8.png", 3, 8, 2)):
        array = picture(channels, bits)
        rows = []
        for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
            rows += packed(array[y0::dy, x0::dx], bits)
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, bits, color, 0, 0, 1))
        data = zlib.compress(b"".join(b"\0" + row for row in rows))
        (OUT / name).write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b""))
        expect(name, array * (255 // 3) if bits == 2 else array)
    # All five filters, as an encoder chooses them.
    array = picture(3, 8)
    Image.fromarray(array).save(OUT / "filters.png", optimize=True)
    expect("filters.png", array)


def tiffs():
    def write(name, array, **options):
        tifffile.imwrite(OUT / name, array, metadata=None, software=None, **options)

    for bits in (8, 16):
        gray, rgb = picture(1, bits), picture(3, bits)
        for compression in (None, "lzw", "zlib", "packbits"):
            for predictor in (False, True):
                if predictor and compression in (None, "packbits"):
                    continue
                name = f"{compression or 'plain'}-{bits}{'-difference' if predictor else ''}.tif"
                write(name, rgb, photometric="rgb", compression=compression, predictor=predictor, rowsperstrip=5)
                expect(name, rgb)
        write(f"big-endian-{bits}.tif", gray, byteorder=">", photometric="minisblack", compression="lzw", predictor=True)
        expect(f"big-endian-{bits}.tif", gray)
        write(f"bigtiff-{bits}.tif", gray, bigtiff=True, photometric="minisblack")
        expect(f"bigtiff-{bits}.tif", gray)
        write(f"white-is-zero-{bits}.tif", gray, photometric="miniswhite", rowsperstrip=3)
        expect(f"white-is-zero-{bits}.tif", np.iinfo(gray.dtype).max - gray)
        write(f"planar-{bits}.tif", np.moveaxis(rgb, 2, 0), photometric="rgb", planarconfig="separate", rowsperstrip=4)
        expect(f"planar-{bits}.tif", rgb)
        rgba = picture(4, bits)
        write(f"alpha-{bits}.tif", rgba, photometric="rgb", extrasamples=["unassalpha"], compression="lzw", predictor=True)
        expect(f"alpha-{bits}.tif", rgba[..., :3])
        graya = picture(2, bits)
        write(f"gray-alpha-{bits}.tif", graya, photometric="minisblack", extrasamples=["unassalpha"], planarconfig="contig")
        expect(f"gray-alpha-{bits}.tif", graya[..., 0])
        write(f"tiles-{bits}.tif", rgb, photometric="rgb", tile=(16, 16), compression="zlib", predictor=True)
        expect(f"tiles-{bits}.tif", rgb)
    # More strings than a table of 4096 holds: the code width reaches 12 and the table is cleared.
    noise = RNG.integers(0, 256, (96, 128), dtype=np.uint8)
    Image.fromarray(noise).save(OUT / "lzw-noise.tif", compression="tiff_lzw")
    expect("lzw-noise.tif", noise)
    flat = np.full((200, 300), 7, np.uint8)
    Image.fromarray(flat).save(OUT / "lzw-flat.tif", compression="tiff_lzw")
    expect("lzw-flat.tif", flat)
    gray = picture(1, 8)
    for orientation in range(2, 9):
        write(f"orientation{orientation}.tif", gray, photometric="minisblack", extratags=[(274, 3, 1, orientation, True)])
        turned = Image.fromarray(gray)
        turned.getexif()[274] = orientation
        expect(f"orientation{orientation}.tif", np.asarray(ImageOps.exif_transpose(turned)))
    write("float.tif", gray.astype(np.float32), photometric="minisblack")
    refuse("float.tif", "Unsupported")
    write("signed.tif", gray.astype(np.int16), photometric="minisblack")
    refuse("signed.tif", "Unsupported")
    write("pages.tif", np.stack([gray, gray]), photometric="minisblack")
    refuse("pages.tif", "Unsupported")
    write("cmyk.tif", picture(4, 8), photometric="separated")
    refuse("cmyk.tif", "Unsupported")
    write("palette.tif", gray, photometric="palette", colormap=RNG.integers(0, 65535, (3, 256), dtype=np.uint16))
    refuse("palette.tif", "Unsupported")
    write("jpeg.tif", picture(3, 8), photometric="rgb", compression="jpeg")
    refuse("jpeg.tif", "Unsupported")
    write("deep.tif", gray.astype(np.uint32), photometric="minisblack")
    refuse("deep.tif", "Unsupported")
    Image.fromarray(gray > 100).save(OUT / "bilevel.tif")
    refuse("bilevel.tif", "Unsupported")
    with tifffile.TiffWriter(OUT / "subifds.tif") as file:
        file.write(gray, photometric="minisblack", subifds=1, metadata=None)
        file.write(gray[::2, ::2], photometric="minisblack", subfiletype=1, metadata=None)
    refuse("subifds.tif", "Unsupported")


def smooth(channels):
    y, x = np.mgrid[0:37, 0:45]
    planes = [128 + 100 * np.sin(x / 9 + k) * np.cos(y / (7 + k)) for k in range(channels)]
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def jpegs():
    def write(name, image, **options):
        image.save(OUT / name, "JPEG", **options)
        expect(name, np.asarray(ImageOps.exif_transpose(Image.open(OUT / name))))

    rgb, gray = Image.fromarray(smooth(3)), Image.fromarray(smooth(1)[..., 0])
    noise = Image.fromarray(RNG.integers(0, 256, (37, 45, 3), dtype=np.uint8))
    write("gray.jpg", gray, quality=90)
    write("gray-progressive.jpg", gray, quality=90, progressive=True)
    write("gray-optimized.jpg", noise.convert("L"), quality=100, optimize=True)
    for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
        short = subsampling.replace(":", "")
        write(f"rgb-{short}.jpg", rgb, quality=92, subsampling=subsampling)
        write(f"noise-{short}.jpg", noise, quality=92, subsampling=subsampling)
        write(f"noise-{short}-progressive.jpg", noise, quality=92, subsampling=subsampling, progressive=True)
    for subsampling in ("411", "440"):
        (OUT / f"noise-{subsampling}.jpg").write_bytes(
            imagecodecs.jpeg8_encode(np.asarray(noise), level=92, subsampling=subsampling)
        )
        expect(f"noise-{subsampling}.jpg", np.asarray(Image.open(OUT / f"noise-{subsampling}.jpg")))
    # Pictures too narrow for smooth upsampling, and smaller than a block.
    for width, height in ((1, 1), (3, 3), (4, 5), (5, 2), (17, 1)):
        write(f"small-{width}x{height}.jpg", noise.crop((0, 0, width, height)), quality=92, subsampling="4:2:0")
    write("restarts.jpg", noise, quality=92, restart_marker_rows=1)
    write("restarts-progressive.jpg", noise, quality=92, restart_marker_blocks=2, progressive=True)
    write("profile.jpg", rgb, quality=92, icc_profile=b"not a profile")
    write("keep-rgb.jpg", noise, quality=92, keep_rgb=True)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[274] = orientation
        write(f"orientation{orientation}.jpg", rgb, quality=92, exif=exif)
    exif = Image.Exif()
    exif[274] = 9
    rgb.save(OUT / "orientation9.jpg", exif=exif)
    refuse("orientation9.jpg", "Corrupt")
    rgb.convert("CMYK").save(OUT / "cmyk.jpg")
    refuse("cmyk.jpg", "Unsupported")
    (OUT / "twelve.jpg").write_bytes(imagecodecs.jpeg8_encode((smooth(1).astype(np.uint16) * 16), level=90, bitspersample=12))
    refuse("twelve.jpg", "Unsupported")
    (OUT / "lossless.jpg").write_bytes(imagecodecs.ljpeg_encode(smooth(1)[..., 0]))
    refuse("lossless.jpg", "Unsupported")


def compare_with_pillow():
    """What Pillow reads, where it reads the file without loss, must be what is expected. Says what it cannot compare."""
    for line in MANIFEST:
        name, *rest = line.split("\t")
        if len(rest) != 4 or name.endswith(".jpg"):
            continue
        try:
            image = Image.open(OUT / name)
            image.load()
        except Exception as error:
            print(f"{name}: Pillow does not read it ({error})")
            continue
        if name.endswith(".tif") and name.startswith("orientation") and name[11] in "5678":
            continue  # Pillow 13 scrambles plain TIFFs of these orientations.
        if name == "white-is-zero-16.tif":
            continue  # Pillow does not invert 16 bits.
        image = ImageOps.exif_transpose(image) if name.endswith(".png") else image
        width, height, channels, bits = map(int, rest)
        if bits == 16 and image.mode not in ("I;16", "I;16B", "I"):
            print(f"{name}: Pillow reads {image.mode}, not compared")
            continue
        array = np.asarray(image.convert("RGB" if channels == 3 else "L") if bits == 8 else image)
        kind = "<u2" if bits == 16 else "u1"
        samples = np.frombuffer((OUT / f"{name}.samples").read_bytes(), kind).reshape(height, width, -1).squeeze()
        same = array.shape == samples.shape and (array == samples).all()
        if not same:
            print(f"{name}: DIFFERS from Pillow ({image.mode}, {array.shape})")


pngs()
tiffs()
jpegs()
compare_with_pillow()
(OUT / "MANIFEST").write_text("\n".join(MANIFEST) + "\n")
