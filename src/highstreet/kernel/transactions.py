"""One transaction for a whole piece of work, and its beginning anew where the world changed under it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from django.db import OperationalError, connection, transaction

T = TypeVar("T")
_within: ContextVar[bool] = ContextVar("a whole is open", default=False)
# A row goes into shares, or comes out of them, when a flash sale begins or ends: once is much.
TRIES = 3


class Again(OperationalError):
    """What the transaction rests on changed while it waited for a lock; from its beginning it can go well.

    Like a serialisation failure, and told like one where nobody tries again: busy, nothing was done.
    """


@contextmanager
def whole() -> Iterator[None]:
    """One transaction for all within, ended by the first refusal: actions in it take no savepoints."""
    within = _within.set(True)
    try:
        with transaction.atomic(savepoint=within.old_value is not True):
            yield
    finally:
        _within.reset(within)


def anew(work: Callable[[], T]) -> T:
    """`work` as one `whole`, from its beginning after Again, three times at most. Within another it is tried once."""
    for _ in range(TRIES - 1):
        try:
            with whole():
                return work()
        except Again:
            if connection.in_atomic_block:
                raise
    with whole():
        return work()
