"""Hostile texts in every text column of a running town, and how a page is seen to have believed one.

Planted straight into the tables, so that it does not matter which form, partner or importer let a text in.
`h()` is the marker: a page that calls it, or that has an element made of these texts, has believed one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import errors, sql

from tests.support.stack import Stack

# One a line. A wide column holds many of the first thirty at once, a narrow one another in each row and round.
PAYLOADS = (
    "<svg onload=h()>",
    "<script>h()</script>",
    '"><script>h()</script>',
    "'><script>h()</script>",
    "<img src=x onerror=h()>",
    '"><img src=x onerror=h()>',
    "' onfocus=h() autofocus x='",
    '" onfocus=h() autofocus x="',
    "</title><svg onload=h()>",
    "</textarea><svg onload=h()>",
    "</script><svg onload=h()>",
    "--><svg onload=h()>",
    "]]><svg onload=h()>",
    "<details open ontoggle=h()>",
    "<input autofocus onfocus=h()>",
    "<iframe srcdoc='<script>parent.h()</script>'>",
    "<iframe src=javascript:parent.h()>",
    "<a id=hx href=javascript:h()>x</a>",
    "javascript:h()",
    "';h();//",
    '";h();//',
    "');h();//",
    "${h()}",
    "{{h()}}",
    "{% h %}<i id=hx>",
    "\\u003csvg onload=h()\\u003e",
    "&lt;svg onload=h()&gt;",
    "＜svg onload=h()＞",
    "<p x-data x-init=h()>",
    "<b hx-on:load=h() hx-get=/livez hx-trigger=load>",
    "<math><mtext><table><mglyph><style><img src=x onerror=h()>",
    "<style>@import'javascript:h()'</style>",
    "<base href=//h.example/><i id=hx>",
    "<form action=javascript:h()><button id=hx>x",
    "=HYPERLINK(h())",
    "<i id=hx>",
)
TRIED = 30
# Columns that hold no words of anybody: codes of ours that decide what code does, or are drawn, or are part of an
# address, and are validated or made by us. Every other text column is planted; a new one is met on arrival.
MACHINE = {
    "status", "state", "kind", "mode", "role", "language", "currency", "time_zone", "digest", "prefix", "key",
    "number", "code", "group_code", "picture", "temperature", "substitution", "payment_method", "payment_status",
    "substitute_state", "incident", "proof_kind", "provider", "event_id", "event_type", "event", "machine", "was",
    "now", "out_trade_no", "out_refund_no", "code_url", "handler", "secret", "old_secret", "disabled_reason",
    "endpoint", "request_hash", "username", "password", "policy", "outcome", "type", "search_text", "handover_code",
    "phone_tail", "order_number", "openid", "provider_id",
}  # fmt: skip
# A table's own meaning of a name that is words elsewhere (or the other way round).
MACHINE_OF = {
    ("kernel_outboxevent", "name"),
    ("kernel_journal", "actor"),
    ("kernel_idempotencyrecord", "subject"),
    # A link that only ever sends: its URL was taken apart and barred before it was written.
    ("orders_order", "end_reason"),
    ("fulfilment_fulfilment", "reject_reason"),
}


@dataclass(frozen=True)
class Column:
    """A text column; `room` in characters, None for no limit."""

    table: str
    name: str
    room: int | None
    unique: bool

    def __str__(self) -> str:
        return f"{self.table}.{self.name}"


def columns() -> Iterator[Column]:
    """Every text column of our own tables that people or partners fill."""
    from django.apps import apps
    from django.db import models

    for model in apps.get_models():
        if not model.__module__.startswith("highstreet."):
            continue
        for field in model._meta.local_concrete_fields:
            if not isinstance(field, models.CharField | models.TextField) or field.primary_key:
                continue
            table = model._meta.db_table
            if field.column in MACHINE or (table, field.column) in MACHINE_OF:
                continue
            yield Column(table, str(field.column), field.max_length, bool(field.unique))


def texts_for(column: Column, start: int) -> list[str]:
    """What goes into a column, one for each row in turn: as many payloads as there is room for, from `start` on."""
    room = min(column.room or 400, 400) - (4 if column.unique else 0)
    wanted = PAYLOADS[start:] + PAYLOADS[:start]
    found, now = [], ""
    for one in (one for one in wanted if len(one) <= room):
        if len(now) + len(one) > room:
            found.append(now)
            now = ""
        now += one
    return [*found, now] if now else []


def plant(stack: Stack, start: int) -> tuple[list[Column], list[Column]]:
    """Fill every column of every row. Returns the columns planted and those that a constraint of theirs kept clean."""
    planted, kept = [], []
    for column in columns():
        texts = texts_for(column, start)
        if not texts:
            kept.append(column)
            continue
        tail = sql.SQL(" || n.r") if column.unique else sql.SQL("")
        query = sql.SQL(
            "UPDATE {table} t SET {name} = (%s::text[])[1 + n.r %% %s]{tail} FROM "
            "(SELECT id, row_number() OVER (ORDER BY id) AS r FROM {table}) n WHERE n.id = t.id"
        ).format(table=sql.Identifier(column.table), name=sql.Identifier(column.name), tail=tail)
        try:
            stack.sql(query.as_string(None), texts, len(texts))
            planted.append(column)
        except (errors.CheckViolation, errors.RaiseException):
            kept.append(column)
    return planted, kept


def met(stack: Stack, planted: list[Column]) -> set[tuple[str, str]]:
    """Which payload is in which column now, read back."""
    found = set()
    for column in planted:
        query = sql.SQL("SELECT DISTINCT {name} FROM {table}").format(
            name=sql.Identifier(column.name), table=sql.Identifier(column.table)
        )
        kept = [str(value) for (value,) in stack.sql(query.as_string(None))]
        found |= {(str(column), text) for text in PAYLOADS[:TRIED] if any(text in value for value in kept)}
    return found


BELIEVED = """() => [...document.querySelectorAll("*")].filter(node => node.id === "hx"
  || (node.localName === "script" && !node.src && /h\\(\\)/.test(node.text))
  || [...node.attributes].some(({name, value}) => (/^(on|x-|@|:|hx-on)/.test(name) && /\\bh\\(\\)/.test(value))
    || (/^(href|src|action|formaction|data|xlink:href)$/.test(name) && /^\\s*(javascript|vbscript):/i.test(value))
    || (name === "srcdoc" && /h\\(\\)/.test(value))
    || (name === "href" && /^\\s*(https?:)?\\/\\/h\\.example/i.test(value))))
  .map(node => node.outerHTML.slice(0, 160))"""
# Called by a page that was taken in; counted where the page cannot reach it.
MARKER = "window.h = () => { (window.top.ran ??= []).push(location.pathname); return 1; };"
SHOWN = "() => document.documentElement.textContent.includes('h()') || !!document.querySelector('[value*=\"h()\"]')"
