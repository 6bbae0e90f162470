"""What is refused before anybody looks at it, and refusals of the API that no operation made.

An address or headers that are too long end here. So does what the framework refuses by itself (no such address, not
this method): it leaves the API as a problem like every other refusal.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja.parser import Parser
from ninja.renderers import JSONRenderer
from ninja.responses import NinjaJSONEncoder

from highstreet.kernel.api import PROBLEM, problem, rfc3339
from highstreet.kernel.refusal import Reason, Refused
from highstreet.kernel.refusals import FORBIDDEN, HEADERS_TOO_LARGE, INVALID, NOT_FOUND, URL_TOO_LONG, WRONG_METHOD

GetResponse = Callable[[HttpRequest], HttpResponse]
MAX_URL = 8 * 1024
MAX_HEADERS = 16 * 1024
MAX_DEPTH = 32
FRAMEWORK: dict[int, Reason] = {400: INVALID, 403: FORBIDDEN, 404: NOT_FOUND, 405: WRONG_METHOD}


class Edges:
    """Sizes in bytes: `MAX_URL` of path and query, `MAX_HEADERS` of all names and values together."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        api = request.path.startswith("/api/")
        reason = _too_long(request.META)
        if reason is not None:
            refused = Refused(reason)
            return problem(refused) if api else HttpResponse(refused.words, status=reason.status)
        answer = self.get_response(request)
        if not api or answer.status_code not in FRAMEWORK or answer.get("Content-Type") == PROBLEM:
            return answer
        said = problem(Refused(FRAMEWORK[answer.status_code], field="request", problem=answer.reason_phrase))
        if "Allow" in answer:
            said["Allow"] = answer["Allow"]
        return said


def _too_long(meta: dict[str, Any]) -> Reason | None:
    if len(meta.get("PATH_INFO", "")) + len(meta.get("QUERY_STRING", "")) > MAX_URL:
        return URL_TOO_LONG
    headers = sum(len(name) + len(str(value)) for name, value in meta.items() if name.startswith("HTTP_"))
    return HEADERS_TOO_LARGE if headers > MAX_HEADERS else None


class Json(Parser):
    """JSON as RFC 8259 has it: no NaN, and not nested deeper than `MAX_DEPTH`."""

    def parse_body(self, request: HttpRequest) -> Any:
        body = json.loads(request.body, parse_constant=_no_number)
        if _depth(body) > MAX_DEPTH:
            raise ValueError(f"nested deeper than {MAX_DEPTH}")
        return body


class Words(NinjaJSONEncoder):
    """Moments as the kept answers of `once` have them: ninja's own cuts them to the millisecond."""

    def default(self, value: Any) -> Any:
        return rfc3339(value) if isinstance(value, datetime) else super().default(value)


class Written(JSONRenderer):
    """How answers are written."""

    encoder_class = Words


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _depth(value: Any) -> int:
    """How deep lists and objects are nested, without recursion."""
    level, depth = [value], 0
    while level := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return depth
