"""A callback of WeChat Pay: believed, opened, or refused.

Source: WeChat Pay APIv3, "Payment Notification" and "Decrypting Callbacks and Certificates"
(AEAD_AES_256_GCM with the APIv3 key). Why the client's own helper is not used: ADR 0004.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .config import WechatConfig
from .records import Mismatched, check_refund, check_transaction
from .signatures import Forged, verify_signature

__all__ = ["Forged", "Mismatched", "Notification", "check_refund", "check_transaction", "verify"]

ALGORITHM = "AEAD_AES_256_GCM"
GCM_NONCE_BYTES = 12
MAX_BODY_BYTES = 64 * 1024


@dataclass(frozen=True)
class Notification:
    """`id` is the provider's and stays the same over its retries: the inbox is unique on it.

    `event_type` such as TRANSACTION.SUCCESS or REFUND.SUCCESS; `resource` is the decrypted object, to be
    read by `check_transaction` or `check_refund` only.
    """

    id: str
    event_type: str
    create_time: datetime
    resource: dict[str, Any]


def verify(headers: Mapping[str, str], body: bytes, config: WechatConfig, now_wall: float) -> Notification:
    """Verify, parse and decrypt one callback; `body` exactly as received, `now_wall` in unix seconds.

    Pure: no network, no clock, no state. A second delivery of the same notification is not a forgery and
    verifies again. Raises `Forged(reason)` and nothing else for whatever a stranger may send.
    """
    if len(body) > MAX_BODY_BYTES:
        raise Forged("too_large")
    verify_signature(headers, body, config, now_wall)
    content = _object(body, "content")
    resource = content.get("resource")
    if content.get("resource_type") != "encrypt-resource" or not isinstance(resource, dict):
        raise Forged("resource_type")
    return Notification(
        id=_text(content, "id"),
        event_type=_text(content, "event_type"),
        create_time=_moment(content),
        resource=_object(_decrypt(resource, config.api_v3_key), "resource"),
    )


def _decrypt(resource: dict[str, Any], api_v3_key: str) -> bytes:
    if resource.get("algorithm") != ALGORITHM:
        raise Forged("algorithm")
    associated = resource.get("associated_data", "")
    if not isinstance(associated, str):
        raise Forged("associated_data")
    try:
        nonce = _text(resource, "nonce").encode()
        sealed = base64.b64decode(_text(resource, "ciphertext"), validate=True)
        if len(nonce) != GCM_NONCE_BYTES:
            raise Forged("resource_nonce")
        return AESGCM(api_v3_key.encode()).decrypt(nonce, sealed, associated.encode())
    except (binascii.Error, ValueError):
        raise Forged("ciphertext") from None
    except InvalidTag:
        raise Forged("decryption") from None


def _object(raw: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Forged(f"{what}_not_json") from None
    if not isinstance(value, dict):
        raise Forged(f"{what}_not_an_object")
    return value


def _text(content: dict[str, Any], name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not value or "\x00" in value:
        raise Forged(f"field:{name}")
    return value


def _moment(content: dict[str, Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(content, "create_time"))
    except ValueError:
        raise Forged("field:create_time") from None
    if moment.tzinfo is None:
        raise Forged("field:create_time")
    return moment
