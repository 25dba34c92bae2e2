"""A gray sequential JPEG by the definition of its transform (ITU-T T.81, A.3.3) in double precision, slow and plain.

Decoders round the transform as they see fit; at 12 bits pylibjpeg is up to 1.75 levels from the definition. Where lightbox
and pylibjpeg are more than one level apart, this says who is right.
"""

import numpy as np

ZIGZAG = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55,
    62, 63,
]  # fmt: skip
BASIS = np.array(
    [[np.sqrt((1 if u == 0 else 2) / 8) * np.cos((2 * x + 1) * u * np.pi / 16) for u in range(8)] for x in range(8)]
)


def samples(coded: bytes) -> np.ndarray:
    """float64 [rows, columns], not rounded, clipped to the range of the precision."""
    coded = coded[coded.index(b"\xff\xd8") :]
    quantization, codes, at = {}, {}, 2
    while True:
        marker = coded[at + 1]
        end = at + 2 + int.from_bytes(coded[at + 2 : at + 4], "big")
        body, at = coded[at + 4 : end], end
        if marker == 0xDB:
            read_quantization(body, quantization)
        elif marker == 0xC4:
            read_codes(body, codes)
        elif marker in (0xC0, 0xC1):
            precision, rows, columns = body[0], int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
            steps = body[8]
            if body[5] != 1:
                raise ValueError("more than one component")
        elif marker == 0xDD:
            raise ValueError("restart intervals")
        elif 0xC2 <= marker <= 0xCF:
            raise ValueError("not sequential")
        elif marker == 0xDA:
            dc, ac = codes[body[2] >> 4], codes[0x10 | body[2] & 15]
            break
    high, wide = -(-rows // 8), -(-columns // 8)
    blocks = coefficients(coded[at : coded.rindex(b"\xff\xd9")], high * wide, dc, ac) * quantization[steps]
    pixels = np.einsum("xu,bvu,yv->byx", BASIS, blocks.reshape(-1, 8, 8), BASIS, optimize=True) + (1 << (precision - 1))
    picture = pixels.reshape(high, wide, 8, 8).transpose(0, 2, 1, 3).reshape(high * 8, wide * 8)
    return picture[:rows, :columns].clip(0, (1 << precision) - 1)


def read_quantization(body: bytes, tables: dict) -> None:
    while body:
        n = 128 if body[0] >> 4 else 64
        steps = np.zeros(64)
        steps[ZIGZAG] = np.frombuffer(body[1 : 1 + n], ">u2" if n == 128 else "u1")
        tables[body[0] & 15], body = steps, body[1 + n :]


def read_codes(body: bytes, tables: dict) -> None:
    """Each table from code words, as text of 0 and 1, to symbols."""
    while body:
        counts, n = body[1:17], sum(body[1:17])
        symbols, code, table = iter(body[17 : 17 + n]), 0, {}
        for length, count in enumerate(counts, 1):
            for _ in range(count):
                table[f"{code:0{length}b}"] = next(symbols)
                code += 1
            code <<= 1
        tables[body[0]], body = table, body[17 + n :]


def coefficients(scan: bytes, n_blocks: int, dc: dict, ac: dict) -> np.ndarray:
    """[blocks, 64] in the order of rows, not yet multiplied by their steps."""
    scan = scan.replace(b"\xff\x00", b"\xff")
    bits = f"{int.from_bytes(scan, 'big'):0{8 * len(scan)}b}"
    blocks, at, predicted = np.zeros((n_blocks, 64)), 0, 0

    def symbol(table: dict) -> int:
        nonlocal at
        for length in range(1, 17):
            found = table.get(bits[at : at + length])
            if found is not None:
                at += length
                return found
        raise ValueError("no such code word")

    def number(n: int) -> int:
        nonlocal at
        if n == 0:
            return 0
        value, at = int(bits[at : at + n], 2), at + n
        return value if value >> (n - 1) else value - (1 << n) + 1

    for block in blocks:
        predicted += number(symbol(dc))
        block[0], k = predicted, 1
        while k < 64:
            run, n = divmod(symbol(ac), 16)
            if n == 0 and run < 15:
                break
            k += run
            if n:
                block[ZIGZAG[k]] = number(n)
            k += 1
    return blocks
