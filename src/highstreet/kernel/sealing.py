"""Secrets that we must be able to read again: sealed with a key made from the platform's own, one a purpose."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet
from django.conf import settings


def seal(purpose: str, secret: str) -> str:
    return _box(purpose).encrypt(secret.encode()).decode()


def unseal(purpose: str, sealed: str) -> str:
    """Raises InvalidToken when the platform's key has changed: the secret must be made anew."""
    return _box(purpose).decrypt(sealed.encode()).decode()


def _box(purpose: str) -> Fernet:
    key = hashlib.sha256(f"{purpose}:{settings.SECRET_KEY}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
