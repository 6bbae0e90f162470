"""A breaker around calls to one outside service: who does not answer is left alone for a while.

Without it every thread would wait for a service that is down, and pages that do not need it would wait too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Open(Exception):
    """The call was not made: the service has not answered of late, or enough threads wait for it already."""


class Breaker:
    """Opens after `failures` calls in a row failed, for `rest` seconds; then one call tries.

    `at_once` calls are made at the same time. While the service answers, one more waits up to `patience` seconds for
    its turn; once a call has failed, it does not.
    """

    def __init__(self, *, failures: int = 3, rest: float = 10.0, at_once: int = 3, patience: float = 1.0) -> None:
        self._most, self._rest, self._at_once, self._patience = failures, rest, at_once, patience
        self._changed = threading.Condition()
        self._failed, self._waiting, self._until = 0, 0, 0.0

    @contextmanager
    def call(self, *counted: type[Exception]) -> Iterator[None]:
        """Around one call; exceptions of the `counted` kinds are failures, all else is an answer. Raises `Open`."""
        self._enter()
        try:
            yield
        except counted:
            self._leave(failed=True)
            raise
        except BaseException:
            self._leave(failed=False)
            raise
        self._leave(failed=False)

    def _enter(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._failed or self._waiting < self._at_once, self._patience)
            now = time.monotonic()
            if now < self._until or self._waiting >= self._at_once:
                raise Open
            if self._failed >= self._most:
                # One tries; the others go on resting until it has come back.
                self._until = now + self._rest
            self._waiting += 1

    def _leave(self, *, failed: bool) -> None:
        with self._changed:
            self._waiting -= 1
            self._failed = self._failed + 1 if failed else 0
            self._until = time.monotonic() + self._rest if self._failed >= self._most else 0.0
            self._changed.notify_all()
