"""Payments that arrive when the order has expired, over the real provider's protocol in fast time."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from . import shop
from .shop import Buyer, Shelf
from .stack import Stack, Verdict

QUOTE_SECONDS = 600.0
TRIES = 5
EXPIRED = "SELECT count(*) FROM orders_order WHERE status = 'expired'"
_FATES = """
SELECT o.id, o.status, o.total, o.captured, o.refunded,
       COALESCE((SELECT SUM(r.amount) FROM payments_refund r JOIN payments_paymentintent i ON i.id = r.intent_id
                 WHERE i.payable = o.id AND r.status = 'succeeded'), 0)::bigint,
       EXISTS (SELECT 1 FROM fulfilment_fulfilment f WHERE f.order_id = o.id AND f.status <> 'cancelled')
FROM orders_order o
"""


@dataclass(frozen=True)
class Late:
    """How many were fulfilled, refunded in full, neither or both; and which way the money was heard of."""

    cases: int
    expired_first: int
    stock_gone: int
    fulfilled: int
    refunded: int
    neither: int
    both: int
    states: dict[str, int]
    audit: Verdict
    seconds: float

    def __str__(self) -> str:
        return (
            f"cases={self.cases} expired before the payment came={self.expired_first} stock gone={self.stock_gone}: "
            f"fulfilled={self.fulfilled} refunded={self.refunded} neither={self.neither} both={self.both} "
            f"audit={self.audit.code} in {self.seconds:.0f} s {self.states}"
        )


async def late_payments(count: int, *, speed: float = 60.0) -> Late:
    """Place `count` orders, silence the provider, pay them all, and let them expire; take half of the shelf
    away meanwhile. Then the provider speaks again: one half is heard of by a late notification, the other
    half by nobody's but the sweeper's question. Wait for every order's end."""
    started = time.monotonic()
    with Stack(["web", "worker", "sandbox"], speed=speed) as stack:
        shelf = shop.only_shelf(stack, count)
        async with shop.client(stack) as http:
            buyers = [Buyer(http, number) for number in range(count)]
            codes = await shop.at_most(6, [partial(_order, one, shelf) for one in buyers])
        to_expiry = QUOTE_SECONDS / speed
        await _provider(stack, {"fail_next": 3600, "delay_notifications": to_expiry + 9.0})
        await _confirm(stack, codes[::2])
        await _provider(stack, {"drop_notifications": True})
        await _confirm(stack, codes[1::2])
        expired = await asyncio.to_thread(stack.eventually, EXPIRED, count, to_expiry + 12.0)
        gone = (count + 1) // 2
        shop.set_stock(stack, shelf.level_id, count - gone)
        await _provider(stack, {"reset": True})
        deadline = time.monotonic() + 120.0
        while time.monotonic() < deadline and any(_fate(row) == "neither" for row in stack.sql(_FATES)):
            await asyncio.sleep(0.5)
        rows = stack.sql(_FATES)
        fates = Counter(_fate(row) for row in rows)
        verdict = stack.audit()
    return Late(
        len(rows),
        int(expired),
        gone,
        fates["fulfilled"],
        fates["refunded"],
        fates["neither"],
        fates["both"],
        dict(Counter(str(row[1]) for row in rows)),
        verdict,
        time.monotonic() - started,
    )


async def _order(buyer: Buyer, shelf: Shelf) -> str:
    """Place an order and take its code, while the provider still answers."""
    await buyer.prepare(shelf.variant, store=shelf.store)
    answer = await buyer.place("wechat")
    assert answer.status_code == 201, answer.text
    path, query = f"/orders/{buyer.order['id']}/pay", {"key": buyer.order["key"]}
    for _ in range(TRIES):
        asked = await buyer.http.post(path, params=query, json={}, headers=buyer.headers("pay"))
        # Too many at once ask the provider: they are told to try again, and do.
        if asked.status_code != 503:
            break
        await asyncio.sleep(0.3)
    assert asked.status_code == 200, asked.text
    return str(asked.json()["code_url"]).partition("pr=")[2]


async def _confirm(stack: Stack, codes: list[str]) -> None:
    async with httpx.AsyncClient(trust_env=False) as phone:
        for code in codes:
            done = await phone.post(f"{stack.wallet}/wallet/native", params={"pr": code}, data={"answer": "pay"})
            assert done.status_code == 303, done.text


async def _provider(stack: Stack, switches: dict[str, Any]) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(f"{stack.wallet}/sandbox/faults", json=switches)
        assert answer.status_code == 200, answer.text


def _fate(row: tuple[Any, ...]) -> str:
    _, status, total, captured, refunded, returned, fulfilling = row
    kept = status in ("confirmed", "completed") and fulfilling and captured == total and refunded == 0
    back = captured == returned == total and refunded == total
    if kept and back:
        return "both"
    if kept:
        return "fulfilled"
    return "refunded" if back and not fulfilling else "neither"
