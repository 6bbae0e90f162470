"""Everybody who may call: guests, customers, couriers, staff of each role and organisation, API keys, the superuser."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction
from django.test import Client

from highstreet.growth.partners import actions as partners
from highstreet.kernel import ids
from highstreet.people.accounts import actions as accounts
from highstreet.people.accounts.reads import actor_of_user
from highstreet.people.staff.policy import SCOPES

from .routes import Route
from .world import World

BACKEND = "django.contrib.auth.backends.ModelBackend"
# The order of the table's columns.
PEOPLE = (
    "anna",
    "ben",
    "bea",
    "rider_a1",
    "rider_a2",
    "rider_b",
    "picker_a",
    "picker_b",
    "manager_a",
    "manager_b",
    "support_a",
    "support_b",
    "ally_a",
    "ally_b",
    "owner_a",
    "owner_b",
    "owner_f",
)
KEYS = ("key_a", "key_a1", "key_b")
CALLERS = ("guest", *PEOPLE, *KEYS, "root")
# A key for one store that reads the console, the books and the counter, and may work at the counter.
FEW = frozenset({"console.read", "ledger.read", "audit.run", "fulfilment.read", "fulfilment.work", "stock.read"})


@dataclass(frozen=True)
class Answer:
    """`label` is the status, or `login` where the caller is sent to sign in; `text` the whole answer; `wrote` the
    tables that the request changed."""

    caller: str
    route: Route
    plot: str
    label: str
    text: str
    asked: str
    wrote: frozenset[str] = frozenset()

    @property
    def in_(self) -> bool:
        """Whether the caller was let in: refused for what they sent is in, refused for who they are is not."""
        return self.label not in OUT


OUT = frozenset({"401", "403", "404", "405", "login"})


@dataclass
class Caller:
    """A browser or a program: a session cookie on pages, a bearer token on the API."""

    name: str
    session: str = ""
    token: str = ""
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def ask(self, route: Route, target: str, sent: Any = None, *, plot: str = "", **headers: str) -> Answer:
        """One request; nothing that it does stays."""
        self.client.cookies = SimpleCookie({"lang": "en"})
        known: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": ids.random_token(30)}
        if self.session and not route.api:
            self.client.cookies["sessionid"] = self.session
        if self.token and (route.api or not self.session):
            known["HTTP_AUTHORIZATION"] = f"Bearer {self.token}"
        body, kind = _encoded(route, sent)
        wrote: set[str] = set()
        with undone(), connection.execute_wrapper(_noting(wrote)):
            answer = self.client.generic(route.method, target, body, content_type=kind, **known | headers)
            parts = getattr(answer, "streaming_content", None)
            text = _readable(answer.content if parts is None else b"".join(parts))
        shown = text.decode("utf-8", "replace") + "\n" + "\n".join(f"{k}: {v}" for k, v in answer.headers.items())
        cookies = "\n".join(morsel.OutputString() for morsel in answer.cookies.values())
        label = str(answer.status_code)
        if answer.status_code in (301, 302, 303) and "/login/" in answer.headers["Location"].partition("?")[0]:
            label = "login"
        return Answer(
            self.name, route, plot, label, f"{shown}\n{cookies}", f"{target} {json.dumps(sent)}", frozenset(wrote)
        )


def _readable(content: bytes) -> bytes:
    """An archive as what is in it, so that marks are found there as well; anything else as it is."""
    if not content.startswith(b"PK"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist())


WRITES = re.compile(r'^\s*(?:INSERT INTO|UPDATE|DELETE FROM) "?(\w+)"?')


def _noting(wrote: set[str]) -> Callable[..., Any]:
    def note(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        found = WRITES.match(str(sql))
        if found:
            wrote.add(found[1])
        return execute(sql, params, many, context)

    return note


def _encoded(route: Route, sent: Any) -> tuple[bytes, str]:
    from urllib.parse import urlencode

    if route.method == "GET":
        return b"", "application/octet-stream"
    if route.api:
        return (b"" if sent is None else json.dumps(sent).encode()), "application/json"
    return urlencode(sent or {}, doseq=True).encode(), "application/x-www-form-urlencoded"


@contextmanager
def undone() -> Iterator[None]:
    """A transaction that is rolled back; like a test's own, so that actions which call providers run in it."""
    whole = transaction.atomic()
    whole._from_testcase = True  # type: ignore[attr-defined]
    with whole:
        yield
        transaction.set_rollback(True)


def everybody(world: World) -> dict[str, Caller]:
    """All callers, signed in."""
    found = {"guest": Caller("guest")}
    for name in (*PEOPLE, "root"):
        user = world.users[name]
        token = accounts.issue_token(actor=actor_of_user(user.pk), user_id=user.pk)
        found[name] = Caller(name, _session(user), token)
    owners = {letter: actor_of_user(world.users[f"owner_{letter}"].pk) for letter in "ab"}
    scopes = sorted(SCOPES)
    for name, owner, given, stores in (
        ("key_a", owners["a"], scopes, None),
        ("key_a1", owners["a"], sorted(FEW & SCOPES), [world.plots["a1"].store.pk]),
        ("key_b", owners["b"], scopes, None),
    ):
        made = partners.make_key(actor=owner, name=name, scopes=given, store_ids=stores)
        found[name] = Caller(name, token=made.token)
    return {name: found[name] for name in CALLERS}


def _session(user: Any) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = BACKEND
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)
