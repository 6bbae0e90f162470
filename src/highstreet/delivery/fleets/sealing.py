"""What opens a fleet's account, which we must be able to read again."""

from __future__ import annotations

import json
from collections.abc import Mapping

from highstreet.kernel import sealing

PURPOSE = "fleets.sealing"


def seal(secrets: Mapping[str, str]) -> str:
    return sealing.seal(PURPOSE, json.dumps(dict(secrets)))


def unseal(sealed: str) -> dict[str, str]:
    """Raises InvalidToken when the platform's key has changed: the account must be typed in anew."""
    found: dict[str, str] = json.loads(sealing.unseal(PURPOSE, sealed))
    return found
