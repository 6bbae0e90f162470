"""L2, beneath the soak: a process that answers the same request again keeps nothing of it."""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys

import pytest

from tests.conftest import Add
from tests.support import databases, shop
from tests.support.stack import Stack

TIMES = 150
# Of Python, and of malloc, that one request more may leave in the last round: what is kept for good is far more.
BLOCKS, BYTES = 0.7, 64.0


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="malloc's own figures are glibc's")
def test_a_request_leaves_nothing_in_memory(row: Add) -> None:
    with Stack([]) as stack:
        shelf = shop.bottomless_shelf(stack)
        what = [stack.url.removeprefix("http://"), shelf.store, shelf.variant, shop.CITY, *map(str, shop.HERE)]
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.left_behind", *what, str(TIMES)],
            env=stack.environment,
            cwd=databases.ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        verdict = stack.audit()
    assert done.returncode == 0, done.stderr[-3000:]
    assert verdict.code == 0, verdict.broken
    kept = {}
    for line in done.stdout.splitlines():
        told = json.loads(line)
        kept[told["kind"]] = tuple(round(left / TIMES, 2) for left in told["rounds"][-1])
    row(
        "L2",
        "what one request more leaves in a process: blocks of Python, bytes of malloc",
        n=TIMES,
        accepted="; ".join(f"{kind} {blocks:+.2f}, {size:+.0f}" for kind, (blocks, size) in kept.items()),
        invariants="hold",
    )
    assert len(kept) == 6
    assert all(blocks < BLOCKS and size < BYTES for blocks, size in kept.values()), kept
