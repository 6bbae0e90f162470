"""Rate limits of the API: buckets in this process's memory (docs/decisions/0007-rate-limits.md)."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from highstreet.kernel import clock
from highstreet.kernel.api import problem
from highstreet.kernel.policy import Actor, actor_of
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import TOO_OFTEN

from .rules import Bucket, Limit, Taken, address_of, limit_for, take

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


def subject_of(request: HttpRequest) -> str:
    """The user, the API key, else the address: a cart's key costs nothing, so it names nobody."""
    actor: Actor = actor_of(request)
    if actor.signed_in:
        return f"{'user' if actor.user_id else 'key'}:{actor.user_id or actor.key_id}"
    forwarded = request.headers.get("X-Forwarded-For", "")
    return f"address:{address_of(request.META.get('REMOTE_ADDR', ''), forwarded, settings.PROXY_HOPS)}"
