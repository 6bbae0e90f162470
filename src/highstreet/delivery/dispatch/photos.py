"""Photos as proof: what is really in the file, and the picture without anything else. Pure; no decoder runs.

A phone's photo says where and when it was taken and by which phone; a hostile one may be a page or an archive at the
same time. Both are in the parts beside the picture, which are left out here. Formats: ITU-T T.81 annex B (JPEG),
W3C PNG third edition 5, RFC 9649 (WebP).
"""

from __future__ import annotations

import binascii
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator

MAX_URL = 400_000
MAX_SIDE = 12_000
JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"IDAT", b"IEND"}
_WEBP_KEPT = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}
# Start of frame, with the picture's size: all of C0-CF but the tables DHT, JPG and DAC.
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SOI, _EOI, _SOS, _JFIF, _ADOBE, _COMMENT = 0xD8, 0xD9, 0xDA, 0xE0, 0xEE, 0xFE


def kept(url: str) -> str:
    """The data: URL of the picture alone; "" for anything that is not a whole JPEG, PNG or WebP of a sane size."""
    kind, _, text = url.partition(";base64,")
    clean = {f"data:{JPEG}": _jpeg, f"data:{PNG}": _png, f"data:{WEBP}": _webp}.get(kind)
    if clean is None or len(url) > MAX_URL:
        return ""
    try:
        picture = clean(b64decode(text, validate=True))
    except (binascii.Error, ValueError, IndexError):
        return ""
    return f"{kind};base64,{b64encode(picture).decode()}" if picture else ""


def _sane(width: int, height: int) -> bool:
    return 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE


def _jpeg(data: bytes) -> bytes:
    if data[:2] != b"\xff\xd8":
        return b""
    made, at, sized = bytearray(data[:2]), 2, False
    while data[at] == 0xFF and (marker := data[at + 1]) != _EOI:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + length
        if length < 2 or end > len(data):
            return b""
        if marker in _FRAMES:
            height, width = (int.from_bytes(data[at + n : at + n + 2], "big") for n in (5, 7))
            sized = _sane(width, height)
            if not sized:
                return b""
        if marker == _SOS:
            end = _after_scan(data, end)
        told = 0xE0 <= marker <= 0xEF and marker not in (_JFIF, _ADOBE)
        if not told and marker != _COMMENT:
            made += data[at:end]
        at = end
    whole = sized and data[at : at + 2] == b"\xff\xd9" and at + 2 == len(data)
    return bytes(made + b"\xff\xd9") if whole else b""


def _after_scan(data: bytes, at: int) -> int:
    """Where the entropy-coded data ends: at the first marker that is neither a stuffed zero nor a restart."""
    while True:
        at = data.index(b"\xff", at)
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7:
            return at
        at += 2


def _png(data: bytes) -> bytes:
    if not data.startswith(_PNG_HEAD):
        return b""
    made, names = bytearray(_PNG_HEAD), []
    for name, body, raw in _png_chunks(data):
        if not names and (name != b"IHDR" or not _sane(*(int.from_bytes(body[n : n + 4], "big") for n in (0, 4)))):
            return b""
        names.append(name)
        if name in _PNG_KEPT:
            made += raw
    return bytes(made) if names[-1:] == [b"IEND"] and b"IDAT" in names and names.count(b"IEND") == 1 else b""


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    at = len(_PNG_HEAD)
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        name, body, check = data[at + 4 : at + 8], data[at + 8 : end - 4], data[end - 4 : end]
        if end > len(data) or zlib.crc32(name + body).to_bytes(4, "big") != check:
            raise ValueError("a chunk is not what its sum says")
        yield name, body, data[at:end]
        at = end


def _webp(data: bytes) -> bytes:
    size = int.from_bytes(data[4:8], "little")
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or size + 8 != len(data):
        return b""
    made, at, drawn = bytearray(), 12, False
    while at < len(data):
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + length + length % 2
        if end > len(data):
            return b""
        body = bytearray(data[at:end])
        drawn = drawn or name in (b"VP8 ", b"VP8L")
        if name == b"VP8X":
            # Nothing of colour profiles (32), Exif (8), XMP (4) or animation (2) is kept.
            body[8] &= 16
        if not _sane(*_webp_size(name, bytes(body[8:]))):
            return b""
        if name in _WEBP_KEPT:
            made += body
        at = end
    return b"RIFF" + (len(made) + 4).to_bytes(4, "little") + b"WEBP" + made if drawn else b""


def _webp_size(name: bytes, body: bytes) -> tuple[int, int]:
    """Width and height by the chunk that tells them; 1 × 1 for the others."""
    if name == b"VP8 ":
        if body[3:6] != b"\x9d\x01\x2a":
            raise ValueError("no key frame")
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    if name == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if name == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    return 1, 1
