"""The event stream tells a page what happened since it was drawn, and nobody what is not theirs."""

from __future__ import annotations

import json
import re
from html import unescape

import httpx

from .town import Town


def test_what_happened_between_page_and_stream_is_told(town: Town) -> None:
    placed = town.order(kinds=1, pay=False)
    page = httpx.get(f"{town.url}/o/{placed.key}", trust_env=False).text
    found = re.search(r'data-stream="([^"]+)"', page)
    assert found
    address = unescape(found.group(1))
    # Nobody listens while this happens.
    town.cancel(placed)
    told = first(address)
    assert told["topic"].startswith("order:")


def test_a_forged_token_hears_nothing(town: Town) -> None:
    for token in ("", "x", "WyJjaXR5Il0:1xVilr:fWN8yZqp2-s5VbZb4i8IH-TJLBJVQxgKQyoPpdGIgLM", "a:b:c", "%00"):
        answer = httpx.get(f"{town.streams}/events?token={token}", trust_env=False)
        assert answer.status_code == 401, token


def first(address: str) -> dict[str, str]:
    """The data of the first message."""
    with httpx.stream("GET", address, timeout=10.0, trust_env=False) as answer:
        for text in answer.iter_lines():
            if text.startswith("data: "):
                data: dict[str, str] = json.loads(text.removeprefix("data: "))
                return data
    raise AssertionError("the stream ended")
