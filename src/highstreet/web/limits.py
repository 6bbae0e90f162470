"""Rate limits of the API: buckets in this process's memory (docs/decisions/0007-rate-limits.md)."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from highstreet.kernel import clock, guesses
from highstreet.kernel.api import problem
from highstreet.kernel.policy import Actor, actor_of
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import TOO_MANY_TRIES, TOO_OFTEN
from highstreet.people.accounts.signins import address_of

from .rules import Bucket, Limit, Taken, limit_for, take

GetResponse = Callable[[HttpRequest], HttpResponse]
MOST = 100_000


class Buckets:
    """At most `most` buckets; the one longest unused goes first, so nobody fills the memory with addresses."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], Bucket] = OrderedDict()

    def take(self, subject: str, limit: Limit, now: float) -> Taken:
        name = (subject, limit.name)
        with self._lock:
            taken = take(self._kept.get(name), limit, now)
            self._kept[name] = taken.bucket
            self._kept.move_to_end(name)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return taken

    def forget(self) -> None:
        with self._lock:
            self._kept.clear()


buckets = Buckets()


class Limits:
    """Answers 429 where a subject asks too often, and tells every caller of the API how much is left.

    Header fields RateLimit-Policy and RateLimit are those of draft-ietf-httpapi-ratelimit-headers-10.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        known = None if settings.RATE == "off" else limit_for(request.method or "", request.path)
        if known is None:
            return self.get_response(request)
        limit = known.times(float(settings.RATE))
        taken = buckets.take(subject_of(request), limit, clock.now().timestamp())
        wait = math.ceil(clock.real_seconds(taken.wait))
        answer = self.get_response(request) if taken.allowed else problem(Refused(TOO_OFTEN, seconds=max(1, wait)))
        if not taken.allowed:
            answer["Retry-After"] = str(max(1, wait))
        window = math.ceil(clock.real_seconds(limit.burst / limit.rate))
        full = math.ceil(clock.real_seconds(taken.full))
        answer["RateLimit-Policy"] = f'"{limit.name}";q={limit.burst};w={max(1, window)}'
        answer["RateLimit"] = f'"{limit.name}";r={taken.remaining};t={full}'
        return answer


class KeyGuesses:
    """Counts the orders that a guest asked for in vain, by address: from the eleventh in a quarter of an hour on 429.

    Only what was not found is counted, so looking at one's own order costs nothing and is never locked: a key has
    160 random bits, and nobody finds one by trying.
    """

    PATHS = ("/o/", "/api/v1/orders/", "/api/v1/quotes/")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if answer.status_code != 404 or settings.RATE == "off" or not request.path.startswith(self.PATHS):
            return answer
        if actor_of(request).signed_in:
            return answer
        try:
            guesses.take("order", address_of(request))
        except Refused as refused:
            return problem(refused) if request.path.startswith("/api/") else told(request, refused)
        return answer


def told(request: HttpRequest, refused: Refused) -> HttpResponse:
    """A refusal as a page."""
    context = {"refusal": refused, "status": refused.reason.status}
    return render(request, "ui/error.html", context, status=refused.reason.status)


def subject_of(request: HttpRequest) -> str:
    """The user, the API key, else the address: a cart's key costs nothing, so it names nobody."""
    actor: Actor = actor_of(request)
    if actor.signed_in:
        return f"{'user' if actor.user_id else 'key'}:{actor.user_id or actor.key_id}"
    return f"address:{address_of(request)}"


def locked_out(request: HttpRequest, response: HttpResponse, credentials: Any = None) -> HttpResponse:
    """What django-axes answers to who guessed too many passwords: the same words as everywhere."""
    refused = Refused(TOO_MANY_TRIES)
    return problem(refused) if request.path.startswith("/api/") else told(request, refused)
