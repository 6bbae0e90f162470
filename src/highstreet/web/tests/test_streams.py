"""A stream's end, and how many ask the database at once."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse

from highstreet.kernel import streams as tokens
from highstreet.web.streams import ASKING, END, QUEUE_SIZE, Hub, Line, events, make_app

MESSAGE = json.dumps({"id": 1, "name": "x", "topics": ["order:1"]})


def test_nothing_that_comes_later_takes_an_end_away() -> None:
    """Who does not read gets more than the queue holds, which is emptied then."""
    hub, line = Hub(""), Line(QUEUE_SIZE)
    hub.listeners["order:1"].add(line)
    for _ in range(QUEUE_SIZE + 1):
        hub.spread(MESSAGE)
    assert "reset" in line.get_nowait() and line.empty()
    line.close()
    for _ in range(QUEUE_SIZE + 1):
        hub.spread(MESSAGE)
    assert line.get_nowait() == END and line.empty()


def test_who_is_signed_out_while_missed_events_are_told_hears_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app()
    hub: Hub = app.state.hub

    async def still_in(names: list[str]) -> set[str]:
        return set(names)

    async def missed(*_: object) -> list[str]:
        return ["first", "second"]

    monkeypatch.setattr(hub, "still_in", still_in)
    monkeypatch.setattr(hub, "missed", missed)
    query = f"token={tokens.token(['order:1'], sign_in='session:1')}".encode()
    request = Request({"type": "http", "method": "GET", "query_string": query, "headers": [], "app": app})

    async def told() -> list[object]:
        answer = await events(request)
        assert isinstance(answer, StreamingResponse)
        heard: list[object] = []
        async for text in answer.body_iterator:
            heard.append(text)
            if text == "first":
                for line in hub.signed_in["session:1"]:
                    line.close()
        return heard

    assert asyncio.run(told()) == ["retry: 2000\n\n", "first"]
    assert not hub.signed_in


async def asked(hub: Hub, sign_in: str) -> httpx.Response:
    app = make_app()
    app.state.hub = hub
    token = tokens.token(["order:1"], sign_in=sign_in)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://streams") as client:
        return await client.get("/events", params={"token": token})


def test_without_a_database_it_says_when_to_come_again() -> None:
    answer = asyncio.run(asked(Hub("host=/nowhere dbname=none connect_timeout=1"), "session:1"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_without_a_database_a_guests_stream_ends_at_once() -> None:
    """Its page is told when to come again by the stream itself."""
    answer = asyncio.run(asked(Hub("host=/nowhere dbname=none connect_timeout=1"), ""))
    assert (answer.status_code, answer.text) == (200, "retry: 2000\n\n")


def test_nobody_waits_for_ever_behind_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("highstreet.web.streams.ASK_SECONDS", 0.05)

    async def behind() -> httpx.Response:
        hub = Hub("")
        for _ in range(ASKING):
            await hub.asking.acquire()
        return await asyncio.wait_for(asked(hub, "session:1"), 10)

    assert asyncio.run(behind()).status_code == 503


def test_few_ask_at_once_however_many_come(monkeypatch: pytest.MonkeyPatch) -> None:
    now, most = 0, 0

    class Counted:
        async def __aenter__(self) -> Counted:
            nonlocal now, most
            now, most = now + 1, max(most, now + 1)
            await asyncio.sleep(0.001)
            return self

        async def __aexit__(self, *_: object) -> None:
            nonlocal now
            now -= 1

        async def execute(self, *_: object) -> Counted:
            return self

        async def fetchall(self) -> list[object]:
            return []

    async def connect(*_: object, **__: object) -> Counted:
        return Counted()

    monkeypatch.setattr("psycopg.AsyncConnection.connect", connect)

    async def all_come() -> None:
        hub = Hub("")
        await asyncio.gather(*[hub.missed(["order:1"], 1) for _ in range(100)])

    asyncio.run(all_come())
    assert most == ASKING
