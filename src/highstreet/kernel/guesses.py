"""Guessing is counted: after ten wrong answers in a quarter of an hour nobody may go on trying.

The counters are rows, so they hold for all processes. They are kept outside the transaction that a wrong answer ends:
open `guarded` around it, never in it. A lock ends by itself a quarter of an hour after the first wrong answer, however
often it is tried meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection

from . import clock
from .refusal import Reason, Refused
from .refusals import TOO_MANY_TRIES

MOST = 10
WINDOW = timedelta(minutes=15)
_TAKE = (
    "INSERT INTO kernel_guess AS g (kind, subject, tries, since) VALUES (%(kind)s, %(subject)s, 1, %(now)s) "
    "ON CONFLICT (kind, subject) DO UPDATE SET "
    "tries = CASE WHEN g.since <= %(old)s THEN 1 ELSE g.tries + 1 END, "
    "since = CASE WHEN g.since <= %(old)s THEN %(now)s ELSE g.since END RETURNING tries"
)
_GIVE_BACK = "UPDATE kernel_guess SET tries = tries - 1 WHERE kind = %s AND subject = %s AND tries > 0"


def take(kind: str, subject: str) -> None:
    """Use up one of the subject's tries, before its answer is looked at. Refuses TOO_MANY_TRIES."""
    now = clock.now()
    values: dict[str, str | datetime] = {
        "kind": kind,
        "subject": subject[:120],
        "now": now,
        "old": now - WINDOW * clock.speed(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        tries = int(cursor.fetchone()[0])
    if tries > MOST:
        raise Refused(TOO_MANY_TRIES)


def give_back(kind: str, subject: str) -> None:
    """The answer was not wrong: the try does not count."""
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, [kind, subject[:120]])


@contextmanager
def guarded(kind: str, subject: str, *wrong: Reason) -> Iterator[None]:
    """Refuse TOO_MANY_TRIES to who guessed too often; only a refusal for one of the reasons `wrong` uses up a try.

    A try is taken before and given back after, so that guesses at the same time are counted as well. A right answer
    does not clear what was wrong before: else a known good one between the guesses would buy more of them.
    """
    take(kind, subject)
    try:
        yield
    except Refused as refused:
        if refused.reason not in wrong:
            give_back(kind, subject)
        raise
    give_back(kind, subject)
