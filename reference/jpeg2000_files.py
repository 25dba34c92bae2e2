"""Writes small JPEG 2000 codestreams for crates/codecs/tests/goldens/jpeg2000.

    python reference/jpeg2000_files.py crates/codecs/tests/goldens/jpeg2000

Needs numpy, glymur 0.14.8 and an OpenJPEG 2.5.4 that it finds, that of the Pillow wheel for instance (put its path into
glymurrc); glymur is only the way to call it. imagecodecs 2026.3.6 (OpenJPEG again) reads every
stream back: reversible ones must be
the picture that went in, which a formula gives here and in the test; of the others what it reads is kept beside them.

MANIFEST has one line a stream: name, width, height, components, bits, `s` or `u` (sign), and `same` or `near`.
"""

import ctypes
import struct
import sys
import tempfile
from pathlib import Path

import glymur.lib.openjp2 as opj
import numpy as np
from imagecodecs import jpeg2k_decode

PROGRESSIONS = {"lrcp": 0, "rlcp": 1, "rpcl": 2, "pcrl": 3, "cprl": 4}


def picture(width, height, n, bits, signed):
    """A parabola that wraps round, and noise in the lower third of the bits."""
    y, x, c = np.mgrid[0:height, 0:width, 0:n].astype(np.uint64)
    smooth = (x * x * 3 + y * y * 5 + x * y * 7 + c * 977) >> np.uint64(4)
    noise = (x * 2654435761 + y * 40503 + c * 69069 + 12345) & 0xFFFFFFFF
    noise ^= noise >> np.uint64(15)
    noise = (noise * 2246822519) & 0xFFFFFFFF
    noise ^= noise >> np.uint64(13)
    noise &= np.uint64((1 << (bits // 3)) - 1)
    samples = ((smooth + noise) & np.uint64((1 << bits) - 1)).astype(np.int64)
    samples -= (1 << (bits - 1)) if signed else 0
    return samples.astype(("i" if signed else "u") + ("1" if bits <= 8 else "2"))


def encode(
    samples, bits, prog="lrcp", levels=3, block=(64, 64), style=0, tile=None, origin=(0, 0), tile_origin=(0, 0),
    precincts=(), layers=(0,), lossy=False, transform=None, sop=False, eph=False, roi=None, changes=(), parts=None,
    lengths=False, box=False,
):  # fmt: skip
    """The stream of `samples` ([height, width, components]); `layers` are compression ratios, 0 for all that is left."""
    height, width, n = samples.shape
    params = opj.set_default_encoder_parameters()
    params.cod_format = 1 if box else 0
    params.cp_comment = b"-"
    params.numresolution = levels + 1
    params.cblockw_init, params.cblockh_init = block
    params.mode = style
    params.prog_order = PROGRESSIONS[prog]
    params.irreversible = int(lossy)
    params.tcp_mct = int(n == 3) if transform is None else int(transform)
    params.csty = (1 if precincts else 0) | (2 if sop else 0) | (4 if eph else 0)
    params.image_offset_x0, params.image_offset_y0 = origin
    if tile:
        params.tile_size_on = 1
        params.cp_tdx, params.cp_tdy = tile
        params.cp_tx0, params.cp_ty0 = tile_origin
    for k, (w, h) in enumerate(precincts):
        params.prcw_init[k], params.prch_init[k] = w, h
    params.res_spec = len(precincts)
    params.tcp_numlayers = len(layers)
    params.cp_disto_alloc = 1
    for k, ratio in enumerate(layers):
        params.tcp_rates[k] = ratio
    if roi:
        params.roi_compno, params.roi_shift = roi
    for k, (r0, c0, layer_end, r1, c1, order) in enumerate(changes):
        poc = params.poc[k]
        poc.tile, poc.resno0, poc.compno0, poc.layno1, poc.resno1, poc.compno1 = 1, r0, c0, layer_end, r1, c1
        poc.prg1 = PROGRESSIONS[order]
        poc.progorder = order.upper().encode()
    params.numpocs = len(changes)
    if parts:
        params.tp_on, params.tp_flag = 1, ord(parts)

    parms = (opj.ImageComptParmType * n)()
    for parm in parms:
        parm.dx = parm.dy = 1
        parm.w, parm.h, parm.x0, parm.y0 = width, height, *origin
        parm.prec = parm.bpp = bits
        parm.sgnd = int(samples.dtype.kind == "i")
    image = opj.image_create(parms, opj.CLRSPC_SRGB if n == 3 else opj.CLRSPC_GRAY)
    image.contents.x0, image.contents.y0 = origin
    image.contents.x1, image.contents.y1 = origin[0] + width, origin[1] + height
    for c in range(n):
        plane = np.ascontiguousarray(samples[..., c].astype(np.int32))
        ctypes.memmove(image.contents.comps[c].data, plane.ctypes.data, plane.nbytes)
    codec = opj.create_compress(opj.CODEC_JP2 if box else opj.CODEC_J2K)
    opj.set_error_handler(codec, opj._ERROR_CALLBACK)
    opj.setup_encoder(codec, params, image)
    if lengths:
        opj.encoder_set_extra_options(codec, plt=True, tlm=not changes)
    with tempfile.NamedTemporaryFile(suffix=".j2k") as file:
        stream = opj.stream_create_default_file_stream(file.name, False)
        opj.start_compress(codec, image, stream)
        opj.encode(codec, stream)
        opj.end_compress(codec, stream)
        opj.stream_destroy(stream)
        opj.destroy_codec(codec)
        opj.image_destroy(image)
        return Path(file.name).read_bytes()


def pack(coded, main):
    """Takes the packet headers of a stream with SOP and EPH together: into PPM (`main`), or PPT in each tile-part."""
    head_end = coded.index(b"\xff\x90\x00\x0a")
    head, rest = bytearray(coded[:head_end]), coded[head_end:]
    cod = head.index(b"\xff\x52")
    head[cod + 4] &= ~2
    parts, packed = [], b""
    while rest[:2] == b"\xff\x90":
        length = struct.unpack(">I", rest[6:10])[0]
        part, rest = rest[:length], rest[length:]
        data = part.index(b"\xff\x93") + 2
        headers, bodies = b"", b""
        for packet in part[data:].split(b"\xff\x91\x00\x04")[1:]:
            header, _, body = packet[2:].partition(b"\xff\x92")
            headers += header + b"\xff\x92"
            bodies += body
        own = b"" if main else b"\xff\x61" + struct.pack(">HB", len(headers) + 3, 0) + headers
        packed += struct.pack(">I", len(headers)) + headers
        new = part[12 : data - 2] + own + b"\xff\x93" + bodies
        parts.append(part[:6] + struct.pack(">I", len(new) + 12) + part[10:12] + new)
    if main:
        # In two marker segments, cut within the headers of a tile-part.
        for k, piece in enumerate((packed[:10], packed[10:])):
            head += b"\xff\x60" + struct.pack(">HB", len(piece) + 3, k) + piece
    return bytes(head) + b"".join(parts) + rest


def streams():
    """Name, shape (width, height, components, bits, signed), coded bytes, and whether they are reversible."""

    def made(name, shape, **options):
        return name, shape, encode(picture(*shape), shape[3], **options), not options.get("lossy")

    gray = (37, 29, 1, 8, False)
    rgb = (23, 19, 3, 8, False)
    for bits, signed in ((1, False), (5, True), (8, True), (12, False), (16, False), (16, True)):
        yield made(f"gray{bits}{'s' if signed else ''}", (23, 19, 1, bits, signed))
    yield made("rgb-rct", rgb)
    yield made("rgb12-apart", (15, 13, 3, 12, False), transform=False)
    yield made("four", (13, 11, 4, 8, False))
    for prog in PROGRESSIONS:
        yield made(
            f"order-{prog}", (21, 15, 3, 8, False), prog=prog, levels=2, tile=(11, 13), origin=(3, 2), tile_origin=(1, 2), layers=(8, 0),
            precincts=[(16, 8), (8, 16), (4, 8)], block=(4, 4),
        )  # fmt: skip
    styles = {"bypass": 1, "reset": 2, "terminate": 4, "causal": 8, "predictable": 16 | 4, "symbols": 32}
    for name, style in {**styles, "all": 63, "bypass-terminate": 5}.items():
        yield made(f"style-{name}", (19, 21, 1, 12, False), style=style, block=(16, 16), layers=(4, 0), levels=1)
    yield made("wide-blocks", (70, 9, 1, 8, False), block=(64, 4), levels=1)
    yield made("tall-blocks", (9, 70, 1, 8, False), block=(4, 64), levels=1)
    yield made("markers", gray, sop=True, eph=True, lengths=True, layers=(6, 3, 0), levels=2)
    yield made("levels-0", (11, 7, 1, 8, False), levels=0)
    yield made("levels-4", gray, levels=4)
    yield made("one", (1, 1, 1, 8, False), levels=0)
    yield made("row", (40, 1, 1, 8, False), levels=4, tile=(40, 16))
    yield made("column", (1, 40, 1, 8, False), origin=(1, 3), levels=1)
    yield made("odd-corner", (9, 7, 1, 8, False), origin=(5, 11), tile=(4, 4), tile_origin=(2, 10), levels=2)
    yield made("roi", gray, roi=(0, 7))
    yield made("boxed", (13, 11, 1, 8, False), box=True)
    yield made("parts", rgb, prog="rlcp", parts="R", layers=(6, 0), tile=(16, 16), levels=2)
    changes = [(0, 0, 2, 1, 3, "rlcp"), (1, 0, 2, 3, 3, "cprl")]
    yield made("changes", rgb, levels=2, layers=(6, 0), changes=changes)
    for name, main in (("packed-main", True), ("packed-tile", False)):
        coded = encode(picture(*rgb), 8, sop=True, eph=True, tile=(16, 19), levels=1, layers=(6, 0))
        yield name, rgb, pack(coded, main), True
    yield made("lossy8", gray, lossy=True, layers=(3,))
    yield made("lossy12s", (23, 19, 1, 12, True), lossy=True, layers=(8, 2))
    yield made("lossy16", (23, 19, 1, 16, False), lossy=True, layers=(0,), levels=4, origin=(3, 5))
    yield made("lossy-ict", (19, 17, 3, 8, False), lossy=True, layers=(3,))
    yield made("lossy-odd", (9, 7, 1, 8, False), lossy=True, origin=(5, 11), tile=(5, 4), tile_origin=(2, 10), levels=1)
    yield made("cut-reversible", gray, layers=(4,))


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    manifest = []
    for name, shape, coded, is_reversible in streams():
        width, height, n, bits, signed = shape
        samples = picture(*shape)
        read = jpeg2k_decode(coded).reshape(samples.shape).astype(samples.dtype)
        is_same = (read == samples).all()
        # OpenJPEG loses coefficients of subbands one sample wide when it writes, not when it reads.
        assert is_same or not is_reversible or name.startswith(("cut", "odd")), name
        (out / f"{name}.j2k").write_bytes(coded)
        if not is_same:
            (out / f"{name}.samples").write_bytes(read.astype(read.dtype.newbyteorder("<")).tobytes())
        kind = "same" if is_same else "exact" if is_reversible else "near"
        manifest.append(f"{name}\t{width}\t{height}\t{n}\t{bits}\t{'s' if signed else 'u'}\t{kind}")
    (out / "MANIFEST").write_text("\n".join(manifest) + "\n")


if __name__ == "__main__":
    main()
