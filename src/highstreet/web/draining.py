"""Whether this server is about to stop: one byte shared by the process that watches and those that serve."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

VARIABLE = "HIGHSTREET_RUN"


def prepare(folder: Path) -> None:
    """Called by the watching process before the others are started; they find it through the environment."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "draining").write_bytes(b"\0")
    os.environ[VARIABLE] = str(folder)
    _open()


def _open() -> None:
    global _shared
    folder = os.environ.get(VARIABLE, "")
    if folder and (Path(folder) / "draining").exists():
        with (Path(folder) / "draining").open("r+b") as file:
            _shared = mmap.mmap(file.fileno(), 1)


_shared: mmap.mmap | None = None
_open()


def begin() -> None:
    if _shared is not None:
        _shared[0] = 1


def now() -> bool:
    return _shared is not None and _shared[0] == 1
