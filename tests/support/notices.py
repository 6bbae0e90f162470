"""Payment notifications sent to the running platform: forged, replayed, genuine but wrong."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx

from highstreet.kernel import ids
from highstreet.trade.payments.sandbox import forge

from . import shop
from .shop import Buyer, Tally
from .stack import Stack

AT_ONCE = 32
WAITING = "SELECT count(*) FROM payments_transactionevent WHERE applied_at IS NULL"
CAPTURES = "SELECT count(*) FROM kernel_journal WHERE kind = 'payment_captured'"
PAID = "SELECT count(*) FROM orders_order WHERE payment_status <> 'unpaid' OR captured > 0"
INBOX = "SELECT count(*) FROM payments_transactionevent"
ALERTS = "SELECT count(*) FROM payments_alert"


@dataclass(frozen=True)
class Due:
    """An order that waits for its payment."""

    order: str
    key: str
    out_trade_no: str
    amount: int


@dataclass(frozen=True)
class Books:
    """What the database says."""

    inbox: int
    captures: int
    paid: int
    alerts: int


@dataclass
class Outcome:
    """What was sent, what was answered, what changed."""

    sent: int = 0
    answers: Tally = field(default_factory=Tally)
    before: Books = field(default_factory=lambda: Books(0, 0, 0, 0))
    after: Books = field(default_factory=lambda: Books(0, 0, 0, 0))
    kinds: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    @property
    def slowest(self) -> float:
        return max(self.seconds, default=0.0)

    @property
    def p99(self) -> float:
        """The slowest of the fastest 99 %."""
        return sorted(self.seconds)[max(0, len(self.seconds) * 99 // 100 - 1)]

    def __str__(self) -> str:
        return (
            f"sent={self.sent} kinds={len(self.kinds)} answers={dict(self.answers.codes)} 5xx={self.answers.broken} "
            f"inbox +{self.after.inbox - self.before.inbox} captures +{self.after.captures - self.before.captures} "
            f"paid +{self.after.paid - self.before.paid} alerts +{self.after.alerts - self.before.alerts} "
            f"slowest={self.slowest:.2f} s"
        )


def books(stack: Stack) -> Books:
    return Books(*(int(stack.one(query)) for query in (INBOX, CAPTURES, PAID, ALERTS)))


async def unpaid_orders(stack: Stack, count: int, *, first: int = 0, mode: str = "pickup") -> list[Due]:
    """`count` orders by guests, to be paid by WeChat, of 1, 2, 3 … units so that their amounts differ."""
    shelf = shop.only_shelf(stack, 10_000)
    async with shop.client(stack) as http:

        async def one(number: int) -> Due:
            buyer = Buyer(http, first + number)
            await buyer.prepare(shelf.variant, number % 40 + 1, store=shelf.store, mode=mode)
            answer = await buyer.place("wechat")
            assert answer.status_code == 201, answer.text
            intent = ids.private("int", buyer.order["intent"])
            trade, amount = stack.sql("SELECT out_trade_no, amount FROM payments_paymentintent WHERE id = %s", intent)[
                0
            ]
            return Due(buyer.order["id"], buyer.order["key"], trade, amount)

        return await shop.at_most(8, [partial(one, number) for number in range(count)])


def paid(stack: Stack, due: Due, *, amount: int | None = None, **changes: Any) -> dict[str, Any]:
    """What a notification says that pays for `due`."""
    fen = due.amount if amount is None else amount
    return forge.transaction_resource(
        stack.keys.config,
        **{
            "out_trade_no": due.out_trade_no,
            "transaction_id": f"42{secrets.randbelow(10**26):026d}",
            "amount": {"total": fen, "currency": "CNY", "payer_total": fen, "payer_currency": "CNY"},
            **changes,
        },
    )


async def send(stack: Stack, messages: Iterable[tuple[str, dict[str, str], bytes]]) -> Outcome:
    """POST each (kind, headers, body) to the endpoint, `AT_ONCE` at a time; wait until the inbox is applied.

    Each is taken from `messages` when it is its turn: a forger's times are those of the sending.
    """
    outcome, waiting = Outcome(before=books(stack)), iter(messages)

    async def one(kind: str, headers: dict[str, str], body: bytes) -> None:
        started = time.monotonic()
        answer = await _post(stack, headers, body)
        outcome.seconds.append(time.monotonic() - started)
        outcome.answers.add(answer)
        outcome.kinds[kind] += 1
        outcome.sent += 1

    async def hand() -> None:
        for message in waiting:
            await one(*message)

    await asyncio.gather(*(hand() for _ in range(AT_ONCE)))
    await asyncio.to_thread(stack.eventually, WAITING, 0, 20.0)
    outcome.after = books(stack)
    return outcome


async def deliver(stack: Stack, messages: Iterable[tuple[str, dict[str, str], bytes]]) -> None:
    """POST each and see it answered 200; whether it is applied is another matter."""
    for _, headers, body in messages:
        answer = await _post(stack, headers, body)
        assert answer.status_code == 200, answer.text


async def _post(stack: Stack, headers: dict[str, str], body: bytes) -> httpx.Response:
    """Over a bare socket: a forger's headers are not always what an HTTP client would send."""
    where = urlsplit(stack.notify_url)
    lines = [
        f"POST {where.path} HTTP/1.1",
        f"Host: {where.netloc}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        raw = await asyncio.wait_for(reader.read(), 30.0)
    finally:
        writer.close()
    head, _, content = raw.partition(b"\r\n\r\n")
    return httpx.Response(int(head.split(b" ", 2)[1]), content=content)


def forged(stack: Stack, due: Due, *, per_kind: int, seed: int) -> Iterator[tuple[str, dict[str, str], bytes]]:
    """`per_kind` forgeries of every kind, which want an order that exists to be paid with its true amount.

    Blanks around a header's value are no part of it (RFC 9110, 5.5): such a "forgery" is the genuine message.
    """
    made = forge.forgeries(stack.keys.config, stack.keys, seed, per_kind=per_kind, resource=paid(stack, due))
    return (one for one in made if all(value == value.strip() for value in one[1].values()))


def genuine(stack: Stack, resource: dict[str, Any], kind: str = "genuine") -> tuple[str, dict[str, str], bytes]:
    headers, body = forge.genuine(stack.keys, resource, time.time())
    return kind, {**headers, "Content-Type": "application/json"}, body


def wrong(stack: Stack, due: Due, other: Due) -> list[tuple[str, dict[str, str], bytes]]:
    """Truly signed, and not what was asked: none may mark anything paid, each must raise an alert."""
    foreign = {"total": due.amount, "currency": "USD", "payer_total": due.amount, "payer_currency": "USD"}
    resources = {
        "one fen more": paid(stack, due, amount=due.amount + 1),
        "one fen less": paid(stack, due, amount=due.amount - 1),
        "one fen": paid(stack, due, amount=1),
        "another appid": paid(stack, due, appid="wx0000000000000001"),
        "another mchid": paid(stack, due, mchid="1900000001"),
        "another order": paid(stack, due, out_trade_no=other.out_trade_no),
        "another currency": paid(stack, due, amount=due.amount) | {"amount": foreign},
        "not paid": paid(stack, due, trade_state="NOTPAY"),
        "closed": paid(stack, due, trade_state="CLOSED"),
        "a word for an amount": paid(stack, due) | {"amount": {"total": str(due.amount), "currency": "CNY"}},
    }
    return [genuine(stack, resource, kind) for kind, resource in resources.items()]
