"""Endpoints' secrets, which we must be able to read again."""

from __future__ import annotations

from highstreet.kernel import sealing

PURPOSE = "partners.sealing"


def seal(secret: str) -> str:
    return sealing.seal(PURPOSE, secret)


def unseal(sealed: str) -> str:
    """Raises InvalidToken when the platform's key has changed: the endpoint's secret must be made anew."""
    return sealing.unseal(PURPOSE, sealed)
