"""Guessers: how long an answer takes, and how often one may try."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from threading import Barrier, Thread
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection, connections
from django.test import Client

from highstreet.kernel import guesses
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import TOO_MANY_TRIES
from highstreet.people.accounts.models import User


class FewRounds(PBKDF2PasswordHasher):
    """The real hasher with a twentieth of its rounds: still what most of a sign-in's time goes into."""

    iterations = 50_000


class Hasty(ModelBackend):
    """The guard removed: an unknown name is answered without hashing anything."""

    def authenticate(self, request: Any, username: str | None = None, password: str | None = None, **more: Any) -> Any:
        if not User.objects.filter(username=username).exists():
            return None
        return super().authenticate(request, username, password, **more)


def medians(known: Callable[[int], object], unknown: Callable[[int], object], n: int) -> tuple[float, float]:
    """The median CPU milliseconds of `n` of each, asked in turn so that a busy machine is busy for both."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(-2, n):
        for at, ask in enumerate((known, unknown) if number % 2 else (unknown, known)):
            side = at if number % 2 else 1 - at
            began = time.thread_time()
            ask(number)
            if number >= 0:
                taken[side].append((time.thread_time() - began) * 1000)
    return median(taken[0]), median(taken[1])


def best(known: Callable[[int], object], unknown: Callable[[int], object], n: int) -> tuple[float, float]:
    """The `medians` nearest to each other of three at most: a difference that is in the code is there each time."""
    found = medians(known, unknown, n)
    for _ in range(2):
        if apart(found) < 0.05:
            break
        found = min(found, medians(known, unknown, n), key=apart)
    return found


def apart(both: tuple[float, float]) -> float:
    """How far two medians are from each other, as a part of the smaller."""
    return abs(both[0] - both[1]) / min(both)


def sign_in(name: str, password: str, *, code: str = "", address: str = "203.0.113.1") -> Any:
    """One try at /api/v1/sessions."""
    body = {"username": name, "password": password, **({"code": code} if code else {})}
    return Client().post("/api/v1/sessions", json.dumps(body), content_type="application/json", REMOTE_ADDR=address)


def at_once(take: Callable[[], None], count: int) -> tuple[int, int]:
    """`count` tries let go together, each on a connection of its own. Returns (let through, refused)."""
    barrier, outcomes = Barrier(count), []

    def one() -> None:
        try:
            barrier.wait(timeout=30)
            take()
            outcomes.append(True)
        except Refused:
            outcomes.append(False)
        finally:
            connections.close_all()

    threads = [Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(outcomes) == count
    return outcomes.count(True), outcomes.count(False)


@contextmanager
def counted_after() -> Iterator[Callable[[], None]]:
    """The guard removed: looks how many tries there were, answers, and counts only then."""

    def take() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT COALESCE(max(tries), 0) FROM kernel_guess WHERE kind = 'race' AND subject = 'bare'")
            tries = cursor.fetchone()[0]
        if tries >= guesses.MOST:
            raise Refused(TOO_MANY_TRIES)
        time.sleep(0.05)
        try:
            guesses.take("race", "bare")
        except Refused:
            return

    yield take
