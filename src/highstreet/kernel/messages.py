"""Compiles translations (.po to .mo) without GNU gettext and without Django set up.

Only stale files are compiled, so a process may call `compile_all()` at every start: a few stat calls.
"""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def catalogues(root: Path = PACKAGE) -> list[Path]:
    """Every .po below `root`, sorted. Only folders named `locale` are looked into."""
    found: list[Path] = []
    for folder, folders, _ in os.walk(root):
        if "locale" in folders:
            found += Path(folder, "locale").glob("*/LC_MESSAGES/*.po")
        folders[:] = [name for name in folders if name not in {"locale", "static", "migrations", "__pycache__"}]
    return sorted(found)


def is_stale(po: Path) -> bool:
    mo = po.with_suffix(".mo")
    return not mo.exists() or mo.stat().st_mtime_ns < po.stat().st_mtime_ns


def compile_all(root: Path = PACKAGE) -> list[Path]:
    """Compile what is stale and return the .mo files written. Safe when several processes start at once."""
    written = []
    for po in filter(is_stale, catalogues(root)):
        # Babel costs 60 ms to import: only when there is something to do.
        from babel.messages.mofile import write_mo
        from babel.messages.pofile import read_po

        with po.open("rb") as source:
            catalogue = read_po(source, locale=po.parent.parent.name)
        target = po.with_suffix(".mo")
        scratch = target.with_name(f".{target.name}.{os.getpid()}")
        with scratch.open("wb") as sink:
            write_mo(sink, catalogue, use_fuzzy=False)
        scratch.replace(target)
        written.append(target)
    return written
