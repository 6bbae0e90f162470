"""Secrets that we must be able to read again: sealed with a key made from the platform's own."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet
from django.conf import settings


def seal(secret: str) -> str:
    return _box().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """Raises InvalidToken when the platform's key has changed: the endpoint's secret must be made anew."""
    return _box().decrypt(sealed.encode()).decode()


def _box() -> Fernet:
    key = hashlib.sha256(b"partners.sealing:" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
