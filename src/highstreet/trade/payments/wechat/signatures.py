"""Is this message WeChat Pay's? One strict check for notifications and for answers.

Source: WeChat Pay APIv3, "Signature Verification" (development/interface-rules/build-verify-sign-src and
signature-verification): RSA PKCS#1 v1.5 with SHA-256 over timestamp, nonce and raw body, each followed by
a line feed; messages older than five minutes are replays; signatures that start with WECHATPAY/SIGNTEST/
are probes that must fail.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from .config import WechatConfig

MAX_AGE_SECONDS = 300
SIGNATURE_TYPE = "WECHATPAY2-SHA256-RSA2048"
PROBE_PREFIX = "WECHATPAY/SIGNTEST/"
_PREFIX = "wechatpay-"
_NAMES = ("timestamp", "nonce", "serial", "signature", "signature-type")
_NONCE = re.compile(r"[!-~]{1,128}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class Forged(Exception):
    """Not the provider's, or not fresh, or not for us. `reason` is a slug for logs and counters."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def verify_signature(headers: Mapping[str, str], body: bytes, config: WechatConfig, now_wall: float) -> None:
    """Return when `body` was signed by a platform key that we know, at most 300 s from `now_wall` (unix s).

    `headers` by their HTTP names in any case; a name given twice in different cases is refused, because
    two readers could then believe two different things. Makes no outbound call. Raises `Forged`.
    """
    given = _five_headers(headers)
    if given["signature-type"] != SIGNATURE_TYPE:
        raise Forged("signature_type")
    if not _TIMESTAMP.fullmatch(given["timestamp"]):
        raise Forged("timestamp_not_a_number")
    if abs(now_wall - int(given["timestamp"])) > MAX_AGE_SECONDS:
        raise Forged("timestamp_age")
    if not _NONCE.fullmatch(given["nonce"]):
        raise Forged("nonce")
    if given["signature"].startswith(PROBE_PREFIX):
        raise Forged("signtest_probe")
    pem = config.platform_certificates.get(given["serial"])
    if pem is None:
        raise Forged("unknown_serial")
    try:
        signature = base64.b64decode(given["signature"], validate=True)
    except (binascii.Error, ValueError):
        raise Forged("signature_not_base64") from None
    message = f"{given['timestamp']}\n{given['nonce']}\n".encode("ascii") + body + b"\n"
    try:
        _public_key(pem, now_wall).verify(signature, message, PKCS1v15(), SHA256())
    except InvalidSignature:
        raise Forged("signature") from None


def _five_headers(headers: Mapping[str, str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in headers.items():
        folded = name.lower()
        if not folded.startswith(_PREFIX):
            continue
        short = folded.removeprefix(_PREFIX)
        if short in given:
            raise Forged(f"duplicate_header:{short}")
        given[short] = value
    for short in _NAMES:
        if not given.get(short):
            raise Forged(f"missing_header:{short}")
    return given


def _public_key(pem: str, now_wall: float) -> RSAPublicKey:
    key, valid_from, valid_until = _parsed(pem)
    if not valid_from <= datetime.fromtimestamp(now_wall, tz=UTC) <= valid_until:
        raise Forged("certificate_period")
    return key


@lru_cache(maxsize=32)
def _parsed(pem: str) -> tuple[RSAPublicKey, datetime, datetime]:
    """Key and period of a certificate; a bare public key (the `PUB_KEY_ID_` mode) has no period."""
    if "BEGIN CERTIFICATE" in pem:
        certificate = load_pem_x509_certificate(pem.encode())
        key: object = certificate.public_key()
        period = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    else:
        key = load_pem_public_key(pem.encode())
        period = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    if not isinstance(key, RSAPublicKey):
        raise ValueError("a platform key must be RSA")
    return key, *period
