"""A photo as proof: what is really in the file, and the text that the dispatcher keeps."""

from __future__ import annotations

from base64 import b64encode

MAX_BYTES = 1_000_000
KEPT_BYTES = 200_000
JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"


def kind_of(data: bytes) -> str:
    """The media type by the file's first bytes; "" for anything but JPEG, PNG and WebP."""
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    return ""


def data_url(data: bytes) -> str:
    """The photo as a data: URL, "" if it is no image or larger than what is kept."""
    kind = kind_of(data)
    if not kind or len(data) > KEPT_BYTES:
        return ""
    return f"data:{kind};base64,{b64encode(data).decode()}"
