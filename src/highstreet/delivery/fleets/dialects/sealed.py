"""WeChat's message push in its safe mode: AES-256-CBC under the address's own key, SHA-1 over token and cipher text.

Source: developers.weixin.qq.com, "消息加解密说明": 16 random bytes, the length (4 bytes, the highest first), the
message, the appid; padded to whole blocks of 32 bytes.
"""

from __future__ import annotations

import base64
import hashlib
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEY_CHARACTERS = 43
BLOCK = 32
HEAD = 20


def signature(*parts: str) -> str:
    """Of `parts` in dictionary order."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def key_of(encoding_aes_key: str) -> bytes:
    """ValueError unless it is 43 characters of base 64 that stand for 32 bytes."""
    if len(encoding_aes_key) != KEY_CHARACTERS:
        raise ValueError("EncodingAESKey has 43 characters")
    key = base64.b64decode(f"{encoding_aes_key}=", validate=True)
    if len(key) != BLOCK:
        raise ValueError("EncodingAESKey stands for 32 bytes")
    return key


def seal(key: bytes, appid: str, message: bytes, noise: bytes) -> str:
    """`noise`: 16 random bytes."""
    plain = noise + struct.pack(">I", len(message)) + message + appid.encode()
    fill = BLOCK - len(plain) % BLOCK
    cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(cipher.update(plain + bytes([fill]) * fill) + cipher.finalize()).decode()


def open_(key: bytes, appid: str, sealed: str) -> bytes:
    """The message. ValueError for whatever was not sealed so, or for another appid."""
    raw = base64.b64decode(sealed, validate=True)
    if not raw or len(raw) % 16:
        raise ValueError("blocks")
    cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    plain = cipher.update(raw) + cipher.finalize()
    fill = plain[-1]
    if not 1 <= fill <= BLOCK or plain[-fill:] != bytes([fill]) * fill:
        raise ValueError("padding")
    plain = plain[:-fill]
    if len(plain) < HEAD:
        raise ValueError("too short")
    (length,) = struct.unpack(">I", plain[16:HEAD])
    message, whose = plain[HEAD : HEAD + length], plain[HEAD + length :]
    if len(message) != length or whose != appid.encode():
        raise ValueError("appid")
    return message
