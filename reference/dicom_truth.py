"""What pydicom makes of a DICOM file, in the three stages of `lightbox dicom decode` (docs/dicom.md defines them).

`read(path)` gives a `Film`: the stored values of every frame and the data set. `modality(film, stored)` and
`display(film, stored)` go on from stored values, which may be pydicom's own or another program's, so that a decoder
and what comes after it are judged apart.

Decoding is pydicom's alone, with one exception: a few kinds of files that pydicom opens and cannot decode are mended
first, each in a way that leaves no choice (`Film.mended` says which):

- a sequential JPEG whose scan header ends its band at coefficient 0 where only 63 is allowed: 63 is put there;
- frames deflated one by one (Deflated Image Frame Compression) or encapsulated uncompressed, which pydicom 3.0.2 does
  not decode: inflated, put behind each other, and decoded by pydicom as uncompressed;
- no transfer syntax: that of the data set as pydicom reads it;
- one bit a pixel in RLE Lossless: the one segment is decoded by pydicom, its bits are unpacked here.
"""

import logging
import warnings
import zlib
from dataclasses import dataclass, field

import numpy as np
import pydicom
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi, apply_windowing, convert_color_space
from pydicom.pixels import get_decoder
from pydicom.pixels.decoders.rle import _rle_decode_segment, _rle_parse_header
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
NATIVE_FRAMES = "1.2.840.10008.1.2.1.98"
RLE = "1.2.840.10008.1.2.5"
DCT = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")
WAVELET = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 201, 202, 203))
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


@dataclass
class Film:
    """A file as pydicom sees it."""

    ds: pydicom.Dataset
    stored: np.ndarray | None = None
    """[frames, rows, columns] or [frames, rows, columns, samples], native byte order; None where it cannot be decoded."""
    space: str = ""
    """The colour space of the stored values: the header's, or what pydicom corrects it to by the codestream."""
    lossy: bool = False
    """Whether the codec leaves the last bit to the decoder (DCT, 9/7 wavelet)."""
    mended: str = ""
    failure: str = ""
    """Why pydicom cannot decode it, in its own words."""
    forced: bool = False
    """Whether pydicom opens it only when told that it is DICOM."""
    notes: list = field(default_factory=list)

    @property
    def gray(self) -> bool:
        return self.stored.ndim == 3 and self.space != "PALETTE COLOR"


def read(path) -> Film | None:
    """The film in a file; None where pydicom does not open it or finds no pixels in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        forced = False
        try:
            ds = pydicom.dcmread(path)
        except pydicom.errors.InvalidDicomError:
            try:
                ds, forced = pydicom.dcmread(path, force=True), True
            except Exception:
                return None
        except Exception:
            return None
        try:
            if not any(keyword in ds for keyword in PIXELS):
                return None
        except Exception:
            return None
        film = Film(ds, forced=forced)
        try:
            decode(film)
        except Exception as problem:
            film.failure = f"{type(problem).__name__}: {problem}"
        return film


def decode(film: Film) -> None:
    ds = film.ds
    meta = getattr(ds, "file_meta", None)
    if meta is None or "TransferSyntaxUID" not in meta:
        implicit, little = ds.original_encoding
        if "SOPClassUID" not in ds or not little or "Rows" not in ds:
            raise AttributeError("the file has no (0002,0010) Transfer Syntax UID")
        ds.file_meta = pydicom.dataset.FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        film.mended = "no transfer syntax: taken as the data set is written, little endian"
    syntax = str(ds.file_meta.TransferSyntaxUID)
    if syntax in (DEFLATED_FRAMES, NATIVE_FRAMES):
        film.mended = "uncompressed or deflated frames: put behind each other"
        plain = [zlib.decompress(f, -15) if syntax == DEFLATED_FRAMES else f for f in coded(ds)]
        if ds.BitsAllocated == 1:
            film.space, film.stored = ds.PhotometricInterpretation, bits(ds, plain)
            return
        n_bytes = ds.Rows * ds.Columns * ds.SamplesPerPixel * ds.BitsAllocated // 8
        ds.PixelData = b"".join(f[:n_bytes] for f in plain)
        ds.file_meta.TransferSyntaxUID = syntax = ExplicitVRLittleEndian
    if syntax == RLE and ds.BitsAllocated == 1:
        film.mended = "RLE of one bit a pixel: unpacked here"
        film.space = ds.PhotometricInterpretation
        film.stored = bits(ds, [bytes(_rle_decode_segment(f[_rle_parse_header(f[:64])[0] :])) for f in coded(ds)])
        return
    if syntax in DCT:
        film.lossy = True
        mend_scans(film)
    if syntax in WAVELET:
        film.lossy = irreversible(next(iter(coded(ds))))
    film.stored, film.space = frames(ds)


def frames(ds, plugin: str = "") -> tuple[np.ndarray, str]:
    """What pydicom decodes, and the colour space of it."""
    decoder = get_decoder(ds.file_meta.TransferSyntaxUID)
    raw, properties = decoder.as_array(ds, raw=True, decoding_plugin=plugin)
    if raw.dtype.byteorder == ">":
        raw = raw.astype(raw.dtype.newbyteorder("="))
    shape = (-1, ds.Rows, ds.Columns) + ((properties["samples_per_pixel"],) if properties["samples_per_pixel"] > 1 else ())
    return raw.reshape(shape), properties["photometric_interpretation"]


def by_pillow(film: Film) -> np.ndarray:
    """The stored values by pydicom's other decoder; no frames where it cannot."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return frames(film.ds, "pillow")[0]
        except Exception:
            return film.stored[:0]


def coded(ds) -> list[bytes]:
    return list(generate_frames(ds.PixelData, number_of_frames=int(ds.get("NumberOfFrames") or 1)))


def bits(ds, frames) -> np.ndarray:
    """Frames of one bit a pixel, each of its own bytes, the first pixel in the lowest bit."""
    n = ds.Rows * ds.Columns
    rows = [np.unpackbits(np.frombuffer(f, np.uint8), bitorder="little")[:n] for f in frames]
    return np.stack(rows).reshape(len(frames), ds.Rows, ds.Columns)


def mend_scans(film: Film) -> None:
    """Puts the one allowed end of band into sequential scans that give 0."""
    frames, mended = [], False
    for frame in coded(film.ds):
        at = frame.find(b"\xff\xda")
        end = at + 5 + 2 * frame[at + 4] + 1 if at >= 0 else len(frame)
        if end < len(frame) and frame[end - 1] == 0 and frame[end] == 0:
            frame, mended = frame[:end] + b"\x3f" + frame[end + 1 :], True
        frames.append(frame)
    if mended:
        film.ds.PixelData = encapsulate(frames)
        film.mended = "end of band 0 in a sequential scan: taken as 63"


def irreversible(stream: bytes) -> bool:
    """Whether a JPEG 2000 codestream uses the 9/7 wavelet (COD marker, last byte but the precincts)."""
    at = stream.find(b"\xff\x52", max(stream.find(b"\xff\x4f\xff\x51"), 0))
    return stream[at + 13] == 0


def frame_dataset(film: Film, k: int) -> pydicom.Dataset:
    """The data set with the functional groups of frame k put where single-frame objects have these attributes."""
    ds = film.ds
    flat = pydicom.Dataset()
    flat.file_meta = ds.file_meta
    for keyword in (
        "PhotometricInterpretation BitsAllocated BitsStored PixelRepresentation RescaleSlope RescaleIntercept "
        "ModalityLUTSequence WindowCenter WindowWidth VOILUTFunction VOILUTSequence PresentationLUTShape"
    ).split():
        if keyword in ds:
            flat[keyword] = ds[keyword]
    groups = list(ds.get("SharedFunctionalGroupsSequence") or [])[:1]
    groups += list(ds.get("PerFrameFunctionalGroupsSequence") or [])[k : k + 1]
    for group in groups:
        for macro in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            for item in list(group.get(macro) or [])[:1]:
                for element in item:
                    flat[element.keyword] = element
    if "BitsStored" not in flat:
        # Floating point pixels have no bits, and pydicom no output range for their windows: 0 to 1 is as good as any.
        flat.BitsStored, flat.PixelRepresentation = 1, 0
    return flat


def modality(film: Film, stored: np.ndarray) -> np.ndarray:
    """float64 of the same shape for gray; RGB as uint8, uint16 or uint32 [frames, rows, columns, 3] for colour."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if film.gray:
            return np.stack([values(film, stored, k).astype(np.float64) for k in range(len(stored))])
        return colours(film, stored)


def values(film: Film, stored: np.ndarray, k: int) -> np.ndarray:
    return apply_modality_lut(stored[k], frame_dataset(film, k))


def colours(film: Film, stored: np.ndarray) -> np.ndarray:
    if stored.ndim == 3:
        return apply_color_lut(stored, film.ds)[..., :3]
    return convert_color_space(stored, film.space, "RGB") if film.space.startswith("YBR") else stored


def display(film: Film, stored: np.ndarray) -> np.ndarray:
    """uint8 [frames, rows, columns] for gray, [frames, rows, columns, 3] for colour."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if film.gray:
            return np.stack([gray_levels(film, stored, k) for k in range(len(stored))])
        rgb = colours(film, stored)
        return scaled(rgb, (0.0, float(top_of_colours(film, rgb))))


def top_of_colours(film: Film, rgb: np.ndarray) -> int:
    """The largest sample that there can be."""
    if rgb.dtype == np.uint8:
        return 255
    if film.stored.ndim == 4:
        return 2 ** int(film.ds.BitsStored) - 1
    # A palette of 16-bit entries holds 8-bit numbers where it says so and none is larger.
    described = film.ds.RedPaletteColorLookupTableDescriptor[2]
    luts = [film.ds.get(f"{c}PaletteColorLookupTableData") for c in ("Red", "Green", "Blue")]
    largest = max((int(np.frombuffer(lut, "<u2").max()) for lut in luts if lut), default=65535)
    return 255 if described == 8 and largest <= 255 else 65535


def gray_levels(film: Film, stored: np.ndarray, k: int) -> np.ndarray:
    """The first VOI LUT, else the first window, else all values from the least to the greatest; then the presentation."""
    ds, m = frame_dataset(film, k), values(film, stored, k)
    if ds.get("VOILUTSequence") and {"LUTDescriptor", "LUTData"} <= set(ds.VOILUTSequence[0].dir()):
        levels = scaled(apply_voi(m, ds), (0.0, 2.0 ** ds.VOILUTSequence[0].LUTDescriptor[2] - 1))
    elif ds.get("WindowCenter") is not None and ds.get("WindowWidth") is not None:
        levels = scaled(apply_windowing(m, ds), window_range(ds))
    else:
        counted = m[~padding(film, stored[k]) & np.isfinite(m.astype(np.float64))].astype(np.float64)
        levels = scaled(m, (counted.min(), counted.max()) if counted.size else (0.0, 0.0))
    inverse = ds.PhotometricInterpretation == "MONOCHROME1" or ds.get("PresentationLUTShape") == "INVERSE"
    return 255 - levels if inverse else levels


def window_range(ds) -> tuple[float, float]:
    """The range to which pydicom's apply_windowing takes values."""
    if ds.get("ModalityLUTSequence"):
        low, high = 0.0, 2.0 ** ds.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    elif ds.PixelRepresentation == 0:
        low, high = 0.0, 2.0**ds.BitsStored - 1
    else:
        low, high = -(2.0 ** (ds.BitsStored - 1)), 2.0 ** (ds.BitsStored - 1) - 1
    if ds.get("RescaleSlope") is not None and ds.get("RescaleIntercept") is not None:
        low, high = (float(v * ds.RescaleSlope + ds.RescaleIntercept) for v in (low, high))
    return low, high


def padding(film: Film, stored: np.ndarray) -> np.ndarray:
    """Where stored values stand for no picture; they do not count for the range that is stretched."""
    ds, kind = film.ds, {"f": "Float", "d": "DoubleFloat"}.get(stored.dtype.char, "")
    value = ds.get(f"{kind}PixelPaddingValue")
    if value is None:
        return np.zeros(stored.shape, bool)
    limit = ds.get(f"{kind}PixelPaddingRangeLimit", value)
    ends = np.array([value, limit])
    if not kind:
        # The bits count, whatever sign the elements were written with.
        ends = ends.astype(np.int64).astype(np.uint16).astype(np.int16 if ds.PixelRepresentation else np.uint16)
    return (stored >= ends.min()) & (stored <= ends.max())


def scaled(array: np.ndarray, ends: tuple[float, float]) -> np.ndarray:
    """Levels 0 to 255 between two ends, halves to even; 0 where the ends are one and for what is no number."""
    low, high = ends
    if low == high:
        return np.zeros(array.shape, np.uint8)
    levels = np.rint((array.astype(np.float64) - low) / (high - low) * 255).clip(0, 255)
    return np.nan_to_num(levels, nan=0).astype(np.uint8)
