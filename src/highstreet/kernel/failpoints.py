"""Fail-points: named steps at which a process can be made to die, so that tests may see what it leaves behind.

`HIGHSTREET_FAIL="ledger.post:refund"` kills the process (SIGKILL: no `finally`, no rollback of ours) the first time
it reaches that step, `…@3` the third time. `HIGHSTREET_FAIL_TRACE=FILE` writes the name of every step reached. Without
either, `reach` does nothing. What a name says is `where:what`: the kernel's mechanisms are the steps of every feature.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

_reached: Counter[str] = Counter()


def reach(where: str, what: str = "") -> None:
    """A step is reached. Cheap when nothing is armed; called with plain texts only."""
    if _armed:
        _reach(f"{where}:{what}" if what else where)


def arm(name: str = "", *, trace: str = "") -> None:
    """Die at `name` (`…@n`: at its n-th time) and write every name reached into the file `trace`."""
    global _armed, _name, _time, _trace
    _name, _, times = name.partition("@")
    _time, _trace, _armed = int(times or 1), trace, bool(name or trace)
    _reached.clear()


def _reach(name: str) -> None:
    _reached[name] += 1
    if _trace:
        with Path(_trace).open("a") as file:
            file.write(f"{name}\n")
    if name == _name and _reached[name] == _time:
        os.kill(os.getpid(), signal.SIGKILL)


_armed, _name, _time, _trace = False, "", 1, ""
arm(os.environ.get("HIGHSTREET_FAIL", ""), trace=os.environ.get("HIGHSTREET_FAIL_TRACE", ""))
