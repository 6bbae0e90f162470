"""Both sides' keys, and what the provider signs, seals and checks.

Source: WeChat Pay APIv3, "Signature Generation", "Signature Verification", "Decrypting Callbacks and
Certificates" and "Get Platform Certificates".
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import os
import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from highstreet.trade.payments.wechat.config import WechatConfig
from highstreet.trade.payments.wechat.signatures import MAX_AGE_SECONDS, SIGNATURE_TYPE

MERCHANT_FILE = "wechat.json"
PROVIDER_FILE = "sandbox.json"
APPID = "wx5a4d0b0c51e5a9d0"
MCHID = "1900009191"
DEFAULT_BASE_URL = "http://127.0.0.1:8402"
DEFAULT_NOTIFY_URL = "http://127.0.0.1:8000/payments/wechat/notify"
_FIELD = re.compile(r'([a-z_]+)="([^"]*)"')
_AUTHORIZATION_FIELDS = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}


class BadSignature(Exception):
    """The merchant's request is not signed as it must be; the message says what is wrong."""


@dataclass(frozen=True)
class SandboxKeys:
    """`config` is what the merchant has; the rest is the provider's own."""

    config: WechatConfig
    platform_private_key_pem: str = field(repr=False)
    platform_serial: str
    platform_certificate_pem: str = field(repr=False)
    merchant_certificate_pem: str = field(repr=False)


def ensure_keys(state_dir: Path | str, *, base_url: str | None = None, notify_url: str | None = None) -> SandboxKeys:
    """Make the keys of both sides once and return them; two processes may call it at the same time.

    Writes `wechat.json` (a `WechatConfig`, the merchant's) and `sandbox.json` (the provider's), mode 0600.
    `base_url` and `notify_url`, when given, replace what `wechat.json` says. Raises OSError, ValueError.
    """
    folder = Path(state_dir)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / MERCHANT_FILE).exists() and (folder / PROVIDER_FILE).exists():
            keys = _load(folder)
        else:
            keys = generate_keys()
            _write(folder / PROVIDER_FILE, json.dumps(_provider_part(keys), indent=2))
            _write(folder / MERCHANT_FILE, keys.config.dump())
        config = replace(
            keys.config,
            base_url=base_url or keys.config.base_url,
            notify_url=notify_url or keys.config.notify_url,
        )
        if config != keys.config:
            _write(folder / MERCHANT_FILE, config.dump())
        return replace(keys, config=config)


def generate_keys(mchid: str = MCHID) -> SandboxKeys:
    """Fresh keys of both sides, in memory only."""
    merchant_pem, merchant_certificate, merchant_serial = _key_and_certificate(f"merchant {mchid}")
    platform_pem, platform_certificate, platform_serial = _key_and_certificate("Tenpay.com sandbox")
    config = WechatConfig(
        appid=APPID,
        mchid=mchid,
        api_v3_key=secrets.token_hex(16),
        merchant_private_key_pem=merchant_pem,
        merchant_serial=merchant_serial,
        platform_certificates={platform_serial: platform_certificate},
        base_url=DEFAULT_BASE_URL,
        notify_url=DEFAULT_NOTIFY_URL,
    )
    return SandboxKeys(config, platform_pem, platform_serial, platform_certificate, merchant_certificate)


def sign(private_key_pem: str, message: bytes) -> str:
    """RSA PKCS#1 v1.5 with SHA-256, base64."""
    return base64.b64encode(_private_key(private_key_pem).sign(message, PKCS1v15(), SHA256())).decode()


def signed_headers(keys: SandboxKeys, body: bytes, now_wall: float) -> dict[str, str]:
    """The five headers with which the provider signs an answer or a notification."""
    timestamp, nonce = str(int(now_wall)), secrets.token_hex(16)
    message = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
    return {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Serial": keys.platform_serial,
        "Wechatpay-Signature": sign(keys.platform_private_key_pem, message),
        "Wechatpay-Signature-Type": SIGNATURE_TYPE,
    }


def seal(api_v3_key: str, plain: bytes, associated_data: str) -> dict[str, str]:
    """AEAD_AES_256_GCM as the provider writes it: 12 ASCII bytes of nonce, base64 with the tag at the end."""
    nonce = secrets.token_hex(6)
    sealed = AESGCM(api_v3_key.encode()).encrypt(nonce.encode(), plain, associated_data.encode())
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(sealed).decode(),
        "associated_data": associated_data,
        "nonce": nonce,
    }


def check_request(keys: SandboxKeys, authorization: str, method: str, target: str, body: bytes, now_wall: float) -> str:
    """Check the merchant's Authorization header; returns its nonce, which the caller must not have seen.

    `target` is path and query as sent. Raises `BadSignature`.
    """
    scheme, _, rest = authorization.partition(" ")
    fields = dict(_FIELD.findall(rest))
    if scheme != SIGNATURE_TYPE or set(fields) != _AUTHORIZATION_FIELDS:
        raise BadSignature("Authorization is missing or malformed")
    if fields["mchid"] != keys.config.mchid or fields["serial_no"] != keys.config.merchant_serial:
        raise BadSignature("unknown merchant or certificate serial")
    if not fields["timestamp"].isascii() or not fields["timestamp"].isdigit():
        raise BadSignature("timestamp is not a number")
    if abs(now_wall - int(fields["timestamp"])) > MAX_AGE_SECONDS:
        raise BadSignature("timestamp is more than five minutes away")
    head = f"{method}\n{target}\n{fields['timestamp']}\n{fields['nonce_str']}\n"
    try:
        signature = base64.b64decode(fields["signature"], validate=True)
        key = x509.load_pem_x509_certificate(keys.merchant_certificate_pem.encode()).public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        key.verify(signature, head.encode() + body + b"\n", PKCS1v15(), SHA256())
    except (binascii.Error, InvalidSignature):
        raise BadSignature("the signature does not match") from None
    return str(fields["nonce_str"])


def certificate_list(keys: SandboxKeys) -> dict[str, Any]:
    """The body of GET /v3/certificates."""
    certificate = x509.load_pem_x509_certificate(keys.platform_certificate_pem.encode())
    sealed = seal(keys.config.api_v3_key, keys.platform_certificate_pem.encode(), "certificate")
    entry = {
        "serial_no": keys.platform_serial,
        "effective_time": certificate.not_valid_before_utc.isoformat(),
        "expire_time": certificate.not_valid_after_utc.isoformat(),
        "encrypt_certificate": sealed,
    }
    return {"data": [entry]}


def _key_and_certificate(name: str) -> tuple[str, str, str]:
    """(private key PEM, certificate PEM, serial in upper-case hex); valid for ten years."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(b"\x51" + secrets.token_bytes(19), "big"))
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, certificate.public_bytes(Encoding.PEM).decode(), f"{certificate.serial_number:X}"


@lru_cache(maxsize=8)
def _private_key(pem: str) -> rsa.RSAPrivateKey:
    key = load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def _provider_part(keys: SandboxKeys) -> dict[str, str]:
    return {
        "platform_private_key_pem": keys.platform_private_key_pem,
        "platform_serial": keys.platform_serial,
        "platform_certificate_pem": keys.platform_certificate_pem,
        "merchant_certificate_pem": keys.merchant_certificate_pem,
    }


def _load(folder: Path) -> SandboxKeys:
    provider = json.loads((folder / PROVIDER_FILE).read_text())
    return SandboxKeys(config=WechatConfig.load(folder / MERCHANT_FILE), **provider)


def _write(path: Path, text: str) -> None:
    """Replace at once, so that no reader meets half a file."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        handle.write(text)
    fresh.replace(path)
