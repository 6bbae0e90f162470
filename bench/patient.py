"""The negative control of a day with faults: `python bench/patient.py worker` (or dispatch) gives nothing up.

The real process without the ends that waits for people have (ADR 0038): whoever vanished, never answers, never packs or
never comes back is waited for. A day that passes on these proves nothing.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "highstreet.settings")

import django  # noqa: E402

from highstreet.cli import main  # noqa: E402

GUARDS: tuple[tuple[str, str, object], ...] = (
    ("highstreet.trade.fulfilment.actions", "give_up_unanswered", 0),
    ("highstreet.trade.fulfilment.actions", "give_up_unpacked", 0),
    ("highstreet.delivery.dispatch.actions", "give_up_stuck", 0),
    ("highstreet.delivery.dispatch.actions.planning", "let_go_of_vanished", frozenset()),
    ("highstreet.delivery.fleets.actions", "look_after", 0),
)


def without_ends() -> None:
    """Take the guards out of this process."""
    for room, name, nothing in GUARDS:
        module = import_module(room)
        assert callable(getattr(module, name)), name
        setattr(module, name, _never(nothing))


def _never(nothing: object) -> Any:
    return lambda **_: nothing


if __name__ == "__main__":
    django.setup()
    without_ends()
    raise SystemExit(main(sys.argv[1:]))
