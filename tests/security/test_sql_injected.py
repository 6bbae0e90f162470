"""F3: no text changes what a statement does, wherever it is put."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from django.db import transaction
from django.test import Client
from django.utils.encoding import escape_uri_path

from highstreet.kernel.policy import THE_SYSTEM
from highstreet.people.accounts.actions import issue_token
from highstreet.web.console.tests.support import Scene, an_order, client_of
from tests.conftest import Add
from tests.support import junk
from tests.support.addresses import addresses, one_model

from .conftest import root_client

SOURCE = Path(__file__).resolve().parents[2] / "src" / "highstreet"
HEADS = ("'", '"', "1'", "1", "%27", "\\'", "')", "'))", "`", "$$")
TAILS = (
    " OR 1=1--",
    " OR 'q'='q",
    "; SELECT pg_sleep(9)--",
    " UNION SELECT NULL,NULL--",
    " AND 1=CAST(version() AS int)--",
    "||pg_sleep(9)||'",
    "; DROP TABLE orders_order;--",
    " ORDER BY 99--",
    "/**/OR/**/1=1",
    " OR pg_sleep(9) IS NULL--",
    " LIMIT 0--",
    " {{7*7}}",
    " $(sleep 9)",
    "\\x27 OR 1=1",
    " IN (SELECT 1)",
    " ~ '.*'",
    " LIKE '%%",
    " BETWEEN 'a' AND 'z'",
    "::int",
    "; COPY t TO PROGRAM 'id'--",
)
PAYLOADS = [head + tail for head in HEADS for tail in TAILS]
HEADERS = (
    "User-Agent",
    "Referer",
    "Accept-Language",
    "X-Cart-Key",
    "HX-Current-URL",
    "X-Forwarded-For",
    "Last-Event-ID",
)
COOKIES = ("lang", "theme", "cart", "place", "orders", "contact")
SLOW_SECONDS = 8.0
# A hostile text may be refused where a harmless one of its length is not: quotes are in no slug and no identifier.
SHUT = (400, 404, 422)
TELLS = re.compile(r"syntax error|psycopg|pg_catalog|PostgreSQL \d|ProgrammingError")


def harmless(payload: str) -> str:
    """A value of the same kind and length, without anything that a parser of SQL might care for.

    A slash stays: in a path it may lead to another route, and what a text leads to is not what is asked here.
    """
    return re.sub(r"[^0-9A-Za-z/]", "q", re.sub(r"[0-9A-Za-z]", "z", payload))


@dataclass
class Trial:
    """One place for a text: `send(text)` asks with it there."""

    where: str
    send: Any

    def told(self, status: int) -> bool:
        """Whether an answer says anything. Of a path, a page for a wrong address may: its route takes some texts."""
        return status < 300 and "<" not in self.where


@dataclass
class Outcome:
    sent: int = 0
    wrong: list[str] = field(default_factory=list)


def ask(trial: Trial, text: str) -> tuple[int, str, float]:
    """Status, the body of a success with the text taken out, and how long it took. Nothing of it is kept."""
    began = time.monotonic()
    with transaction.atomic():
        answer = trial.send(text)
        transaction.set_rollback(True)
    body = "" if answer.streaming else answer.content.decode()
    if TELLS.search(body):
        raise AssertionError(f"{trial.where} [{text}] tells: {body[:300]}")
    shown: set[str] = set()
    for form in {text, text[:20], text[:20].strip()}:
        shown |= {
            form,
            quote(form),
            quote(form, safe=""),
            quote_plus(form),
            quote_plus(form, safe="/"),
            escape_uri_path(form),
        }
    shown.add(json.dumps(text)[1:-1])
    for form in sorted(shown | {html.escape(one) for one in shown}, key=len, reverse=True):
        body = body.replace(form, "TEXT")
    body = re.sub(r"[0-9A-Za-z_-]{26,}|\d+", "#", body)
    return answer.status_code, body if answer.status_code < 300 else "", time.monotonic() - began


def first_difference(one: str, other: str) -> str:
    at = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)
    return f"({one[max(0, at - 20) : at + 60]!r}, {other[max(0, at - 20) : at + 60]!r})"


def trials(scene: Scene, *, libraries: bool) -> Iterator[Trial]:
    """Every parameter of every path, every query's and form's names on every page, every text of every body."""
    owner = client_of(scene.owner)
    owner.raise_request_exception = False
    root = root_client()
    token = issue_token(actor=THE_SYSTEM, user_id=scene.owner.pk)
    api = Client(headers={"Authorization": f"Bearer {token}", "Accept-Language": "en"}, raise_request_exception=False)
    names = asked_names()
    for one in one_model(addresses({"code": "dairy", "store": "one-0"})):
        if not libraries and one.path.startswith(("/admin/", "/accounts/", "/i18n/")):
            continue
        client = api if one.api else root if one.path.startswith("/admin/") else owner
        for name in one.names:
            yield Trial(
                f"{one.route} <{name}>", lambda text, a=one, n=name, c=client: c.get(a.at(n, quote(text, safe="")))
            )
        if "logout" in one.path or one.api:
            continue
        yield Trial(f"{one.path} ?", lambda text, p=one.path, c=client: c.get(p, dict.fromkeys(names, text)))
        if not one.path.startswith(("/admin/", "/accounts/")):
            yield Trial(f"{one.path} form", lambda text, p=one.path, c=client: c.post(p, dict.fromkeys(names, text)))
    for path in ("/", "/search", "/cart", "/console/", "/api/v1/cities", "/api/v1/orders"):
        yield Trial(f"{path} headers", lambda text, p=path: (api if "api" in p else owner).get(p, headers=spoilt(text)))
        yield Trial(f"{path} cookies", lambda text, p=path: with_cookies(scene, text).get(p))
    yield Trial(
        "/api/v1/orders token", lambda text: api.get("/api/v1/orders", headers={"Authorization": f"Bearer {text}"})
    )
    yield from bodies(api)


def bodies(api: Client) -> Iterator[Trial]:
    """Each text of each operation's body and each of its queries, from the OpenAPI document."""
    document = json.loads(api.get("/api/v1/openapi.json").content)
    for operation in junk.operations(document, ["get", *junk.MUTATING]):
        path = re.sub(r"{\w+}", "x", operation.path)
        for name in operation.queries:
            yield Trial(
                f"{operation} ?{name}",
                lambda text, o=operation, p=path, n=name: api.generic(
                    o.method.upper(), f"{p}?{n}={quote(text, safe='')}", headers={"Idempotency-Key": "k"}
                ),
            )
        properties = (operation.schema or {}).get("properties", {})
        base = {name: junk.example(rule) for name, rule in properties.items()}
        for name, rule in properties.items():
            if "string" in {str(one.get("type")) for one in rule.get("anyOf", [rule])}:
                yield Trial(
                    f"{operation} {name}",
                    lambda text, o=operation, p=path, n=name, b=base: api.generic(
                        o.method.upper(),
                        p,
                        json.dumps({**b, n: text}),
                        "application/json",
                        headers={"Idempotency-Key": "k"},
                    ),
                )


def spoilt(text: str) -> dict[str, str]:
    return dict.fromkeys(HEADERS, text)


def with_cookies(scene: Scene, text: str) -> Client:
    client = Client(raise_request_exception=False)
    for name in COOKIES:
        client.cookies[name] = text
    return client


def asked_names() -> list[str]:
    """The names that our pages read from a query or a form, and those of the fields that they draw."""
    web = SOURCE / "web"
    read = re.compile(r'(?:\.(?:GET|POST)|posted)(?:\.get|\.getlist)?[(\[]"(\w+)"|text_of\(request, "(\w+)"')
    drawn = re.compile(r'<(?:input|select|textarea|button|c-field)\b[^>]*? name="(\w+)"')
    found = {name for path in web.rglob("*.py") for pair in read.findall(path.read_text()) for name in pair if name}
    return sorted(found | {name for path in web.rglob("*.html") for name in drawn.findall(path.read_text())})


def in_turn(number: int, many: int) -> list[str]:
    """`many` of the payloads for the place `number`: each tail once in twenty, behind another head each time."""
    return [PAYLOADS[(number * 37 + step * 21) % len(PAYLOADS)] for step in range(many)]


def try_out(trial: Trial, texts: list[str], outcome: Outcome) -> None:
    """Send each text; what it is answered must be what a harmless one of its kind is answered."""
    usual: tuple[int, str] | None = None
    for text in texts:
        status, body, seconds = ask(trial, text)
        outcome.sent += 1
        if status >= 500 or seconds > SLOW_SECONDS:
            outcome.wrong.append(f"{trial.where} [{text}]: {status} after {seconds:.1f} s")
            continue
        if usual == (status, body) or (usual and status in SHUT and not trial.told(usual[0])):
            continue
        plain, plain_body, _ = ask(trial, harmless(text))
        usual = plain, plain_body
        if usual != (status, body) and not (status in SHUT and not trial.told(plain)):
            where = first_difference(body, plain_body)
            outcome.wrong.append(f"{trial.where} [{text}]: {status}, and {plain} for a harmless one {where}")


@pytest.mark.django_db
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("each", [1, pytest.param(40, marks=pytest.mark.long)])
def test_no_text_changes_what_a_statement_does(scene: Scene, each: int, row: Add) -> None:
    """Each place gets `each` of the 200 in turn; its answer must be that to a harmless text of the same kind.

    The fast run leaves out the routes of the libraries, and two of three of the other places.
    """
    an_order(scene)
    outcome, places = Outcome(), list(trials(scene, libraries=each > 1))[:: 1 if each > 1 else 3]
    for number, trial in enumerate(places):
        try_out(trial, in_turn(number, each), outcome)
    assert outcome.wrong == [], f"{len(outcome.wrong)} of {outcome.sent}\n" + "\n".join(outcome.wrong[:40])
    assert len(set(PAYLOADS)) == 200 and len(asked_names()) > 50
    note = f"{len(places)} places, {each} of 200 texts at each in turn; 0 differences, 0 5xx"
    row(
        "F3",
        "SQL injected into paths, queries, forms, headers, cookies, bodies",
        n=outcome.sent,
        accepted=0,
        notes=note,
    )


@pytest.mark.django_db
def test_a_statement_that_believes_a_text_is_found() -> None:
    """The control: a place that puts the text into its statement is found by the first of the texts that fits."""
    from django.db import DatabaseError, connection
    from django.http import HttpResponse

    def believing(text: str) -> HttpResponse:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM accounts_user WHERE username = '" + text + "'")  # noqa: S608
                return HttpResponse(str(cursor.fetchone()))
        except DatabaseError:
            return HttpResponse(status=500)

    outcome = Outcome()
    try_out(Trial("believing", believing), in_turn(0, 40), outcome)
    assert len(outcome.wrong) > 10
