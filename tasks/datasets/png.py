"""The strict reading of PNG: what its checksums and lengths say of it (W3C, "Portable Network Graphics", 3rd edition).

Decoders skip the checksums of pixels, so that a flipped bit becomes other pixels, unsaid.
"""

from __future__ import annotations

import struct
import zlib

from tasks.contracts import Finding

PNG = b"\x89PNG\r\n\x1a\n"
_CHUNK = struct.Struct(">I4s")
_CRC = struct.Struct(">I")
_HEADER = struct.Struct(">IIBBBBB")  # width, height, bits, colour, compression, filter, interlace
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))  # Adam7
_WINDOW = 1 << 20  # bytes that are inflated at a time


def fault(content: bytes, whole: bool) -> Finding | None:
    """What is wrong with a PNG file: a chunk's checksum, or an end that is missing; None where nothing is.

    Args:
        content: the file's, from its signature on.
        whole: its pixels must also be as many as its header says, and nothing may follow its end.
    """
    view, at, header, pixels = memoryview(content), len(PNG), b"", []
    while True:
        if at + 12 > len(view):
            return Finding.of("data.png_cut")
        length, kind = _CHUNK.unpack_from(view, at)
        end = at + 8 + length
        if end + 4 > len(view):
            return Finding.of("data.png_cut")
        if zlib.crc32(view[at + 4 : end]) != _CRC.unpack_from(view, end)[0]:
            return Finding.of("data.png_checksum", chunk=kind.decode("latin-1"))
        if kind == b"IHDR":
            header = bytes(view[at + 8 : end])
        elif kind == b"IDAT":
            pixels.append(view[at + 8 : end])
        at = end + 4
        if kind == b"IEND":
            break
    if not whole:
        return None
    if at != len(view):
        return Finding.of("data.png_trailing", n=len(view) - at)
    return None if _is_complete(header, pixels) else Finding.of("data.png_pixels")


def _is_complete(header: bytes, pixels: list[memoryview]) -> bool:
    """Whether a stream of pixels is as long as the header says, whole, and followed by nothing."""
    if len(header) != _HEADER.size:
        return False
    width, height, bits, colour, _, _, interlace = _HEADER.unpack(header)
    row = bits * _CHANNELS.get(colour, 0)
    passes = _PASSES if interlace else ((0, 0, 1, 1),)
    sizes = ((-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in passes)
    wanted = sum(h * (1 + (w * row + 7) // 8) for w, h in sizes if w > 0 and h > 0)
    inflate, found = zlib.decompressobj(), 0
    try:
        for part in pixels:
            rest: bytes | memoryview = part
            while rest and found <= wanted:
                found += len(inflate.decompress(rest, _WINDOW))
                rest = inflate.unconsumed_tail
        found += len(inflate.flush())  # what a full window held back
    except zlib.error:
        return False
    return inflate.eof and found == wanted and not inflate.unused_data
