"""Writes GGUF, version 3, little-endian: metadata, a table of tensors, then their bytes at multiples of 32."""

import struct
from pathlib import Path

ALIGNMENT = 32
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
_PACK = {U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}


def _string(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _value(kind: int, value) -> bytes:
    if kind == STRING:
        return _string(value)
    return struct.pack(_PACK[kind], value)


def _entry(key: str, value) -> bytes:
    """A key and its value; the kind is the value's own, integers are u32; an array is (kind of its elements, list)."""
    if isinstance(value, tuple):
        kind, elements = value
        return _string(key) + struct.pack("<IIQ", ARRAY, kind, len(elements)) + b"".join(_value(kind, v) for v in elements)
    kind = {bool: BOOL, int: U32, float: F32, str: STRING}[type(value)]
    return _string(key) + struct.pack("<I", kind) + _value(kind, value)


class Writer:
    """Takes the tensors' sizes first and their bytes in the same order afterwards, so that nothing is held."""

    def __init__(self, path: Path, metadata: dict, tensors: list):
        """tensors: (name, shape with the longest stride first, number of the type, size in bytes)."""
        self.path, self.temporary = path, path.with_suffix(".part")
        self.file = self.temporary.open("wb")
        self.file.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)))
        for key, value in metadata.items():
            self.file.write(_entry(key, value))
        at = 0
        for name, shape, number, size in tensors:
            dims = b"".join(struct.pack("<Q", n) for n in reversed(shape))
            self.file.write(_string(name) + struct.pack("<I", len(shape)) + dims + struct.pack("<IQ", number, at))
            at += size + -size % ALIGNMENT
        self.pad()

    def pad(self) -> None:
        self.file.write(b"\0" * (-self.file.tell() % ALIGNMENT))

    def write(self, data: bytes) -> None:
        self.file.write(data)

    def close(self) -> None:
        self.pad()
        self.file.close()
        self.temporary.replace(self.path)
