"""Server-sent events: a small ASGI process of its own that follows the outbox.

`GET /events?token=…` streams the topics that the token allows. An event's id is its outbox row, so a
client that comes back with Last-Event-ID gets what it missed, and a new one what happened since its token
(its page) was made; positions are told without an id. A stream ends a few seconds after the sign-in it was opened
with: by signing out, by a new password, by losing a role.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from highstreet.kernel.dsn import conninfo

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "highstreet.settings")

CHANNEL = "highstreet"
HEARTBEAT_SECONDS = 15.0
QUEUE_SIZE = 200
REPLAY_LIMIT = 500
# A row's id is drawn before its transaction commits, so a later id may be seen first: look a little back.
LOOK_BACK = 50
# How often it is asked who is still signed in: one query for all streams of the process.
WATCH_SECONDS = 2.0
END = ""
# So many connections at once for who comes, beside the one that listens.
ASKING = 4
# How long somebody waits for one of these and its answer, before they are told to come again.
ASK_SECONDS = 10.0
NO_ANSWER = (psycopg.OperationalError, TimeoutError)
NOTHING = "default-src 'none'; frame-ancestors 'none'"


class SafeAnswers:
    """The headers of every answer, streams included. Nothing of it is a page: the policy allows nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from highstreet.web.headers import headers

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = MutableHeaders(scope=message)
                for name, value in {**headers(), "Content-Security-Policy": NOTHING}.items():
                    kept.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, sent)


class Line(asyncio.Queue[str]):
    """What one client is still to be told. Once `closed`, its end only."""

    closed = False

    def clear(self) -> None:
        while not self.empty():
            self.get_nowait()

    def close(self) -> None:
        self.closed = True
        self.clear()
        self.put_nowait(END)


class Hub:
    """One LISTEN connection, many listeners, and few who ask the database at once: after a restart all come back."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.listeners: dict[str, set[Line]] = defaultdict(set)
        self.signed_in: dict[str, set[Line]] = defaultdict(set)
        self.asking = asyncio.Semaphore(ASKING)

    async def follow(self) -> None:
        """LISTEN for ever; a lost database is tried again each second."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    async for notice in connection.notifies():
                        self.spread(notice.payload)
            except psycopg.OperationalError:
                await asyncio.sleep(1.0)

    def spread(self, payload: str) -> None:
        message = json.loads(payload)
        for topic in message["topics"]:
            for queue in self.listeners.get(topic, ()):
                if queue.closed:
                    continue
                if queue.full():
                    # Whoever does not keep up loses the details and is told to look again.
                    queue.clear()
                    queue.put_nowait('event: reset\ndata: {"topics": ["*"]}\n\n')
                else:
                    queue.put_nowait(frame(topic, message))

    async def watch(self) -> None:
        """End the streams of whoever is no longer signed in, for ever."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            names = [name for name, queues in self.signed_in.items() if queues]
            try:
                gone = set(names) - await self.still_in(names) if names else set()
            except NO_ANSWER:
                continue
            for name in gone:
                for queue in self.signed_in.pop(name, ()):
                    queue.close()

    @asynccontextmanager
    async def ask(self) -> AsyncIterator[psycopg.AsyncConnection]:
        """A connection for one question. Raises one of NO_ANSWER."""
        async with (
            asyncio.timeout(ASK_SECONDS),
            self.asking,
            await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as connection,
        ):
            yield connection

    async def still_in(self, names: list[str]) -> set[str]:
        """Which of these sign-ins still count."""
        from highstreet.people.accounts.reads import STILL_SIGNED_IN, split

        async with self.ask() as connection:
            rows = await connection.execute(STILL_SIGNED_IN.encode(), split(names))
            return {row[0] for row in await rows.fetchall()}

    async def missed(self, topics: list[str], after: int | datetime) -> list[str]:
        """The kept events of `topics` after an outbox row or a business time, as frames."""
        since = ("id", after - LOOK_BACK) if isinstance(after, int) else ("at", after)
        query = "SELECT id, name, topics FROM kernel_outboxevent WHERE {} > %s AND topics ?| %s ORDER BY id LIMIT %s"
        async with self.ask() as connection:
            asked = sql.SQL(query).format(sql.Identifier(since[0]))
            rows = await connection.execute(asked, [since[1], topics, REPLAY_LIMIT])
            return [
                frame(topic, {"id": row[0], "name": row[1]})
                for row in await rows.fetchall()
                for topic in row[2]
                if topic in topics
            ]


def frame(topic: str, message: dict[str, Any]) -> str:
    """One event of the text/event-stream format (WHATWG HTML, 9.2)."""
    head = f"id: {message['id']}\n" if "id" in message else ""
    data = {"topic": topic, **{name: value for name, value in message.items() if name != "topics"}}
    return f"{head}event: change\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


async def events(request: Request) -> Response:
    from highstreet.kernel.streams import made_at, sign_in_of, topics_of

    token = request.query_params.get("token", "")
    topics = topics_of(token)
    if not topics:
        return PlainTextResponse("forged or expired token", status_code=401)
    hub: Hub = request.app.state.hub
    sign_in = sign_in_of(token)
    try:
        if sign_in and sign_in not in await hub.still_in([sign_in]):
            return PlainTextResponse("signed out", status_code=401)
    except NO_ANSWER:
        return PlainTextResponse("no database", status_code=503, headers={"Retry-After": "5"})
    last = request.headers.get("Last-Event-ID") or request.query_params.get("last_event_id", "")
    queue = Line(QUEUE_SIZE)
    for topic in topics:
        hub.listeners[topic].add(queue)
    if sign_in:
        hub.signed_in[sign_in].add(queue)

    async def stream() -> AsyncIterator[str]:
        try:
            yield "retry: 2000\n\n"
            seen = int(last) if last.isascii() and last.isdigit() and len(last) < 18 else made_at(token)
            try:
                missed = await hub.missed(topics, seen)
            except NO_ANSWER:
                # The client comes back by itself, and asks again.
                return
            for text in missed:
                if queue.closed:
                    return
                yield text
            while True:
                try:
                    text = await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if text == END:
                    return
                yield text
        finally:
            for topic in topics:
                hub.listeners[topic].discard(queue)
            if sign_in in hub.signed_in:
                hub.signed_in[sign_in].discard(queue)
                if not hub.signed_in[sign_in]:
                    del hub.signed_in[sign_in]

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def livez(request: Request) -> Response:
    return PlainTextResponse("ok")


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    import django

    django.setup()
    tasks = [asyncio.create_task(app.state.hub.follow()), asyncio.create_task(app.state.hub.watch())]
    yield
    for task in tasks:
        task.cancel()


def make_app() -> Starlette:
    origins = [origin for origin in os.environ.get("HIGHSTREET_ORIGINS", "").split(",") if origin]
    app = Starlette(
        routes=[Route("/events", events), Route("/livez", livez)],
        middleware=[
            Middleware(SafeAnswers),
            Middleware(CORSMiddleware, allow_origins=origins, allow_methods=["GET"], allow_headers=["Last-Event-ID"]),
        ],
        lifespan=lifespan,
    )
    app.state.hub = Hub(conninfo(os.environ.get("DATABASE_URL", "")))
    return app


application = make_app()
