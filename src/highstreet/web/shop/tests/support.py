"""What the tests of the shop do over and over: put in the cart, choose a place, check out, read a page."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.test import Client

from highstreet.kernel import ids
from highstreet.trade.orders.models import Order

MARKET = "Public Market"


def page(client: Client, url: str, status: int = 200) -> str:
    """The page's HTML; fails with another status."""
    return text(client.get(url), status)


def text(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, (answer.status_code, answer.content.decode()[:2000])
    return str(answer.content.decode())


def add(client: Client, variant: UUID, units: int = 1) -> Any:
    return client.post("/cart/lines", {"variant": ids.public("var", variant), "add": units, "next": "/"})


def be_at(client: Client, address: str = MARKET) -> None:
    assert client.post("/place", {"address": address}).status_code == 303


def form_of(html: str, **changes: str) -> dict[str, str]:
    """The checkout's fields as the page filled them, with `changes`."""
    form = {"address": "", "phone": "", "substitution": "best", "payment": "wechat"}
    for name in ("quote", "address", "phone"):
        found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', html)
        if found:
            form[name] = found.group(1)
    return form | changes


def order(client: Client, variant: UUID, **changes: str) -> Order:
    """A guest's order through the pages."""
    add(client, variant)
    html = page(client, "/checkout")
    answer = client.post("/checkout", form_of(html, phone="13800001234", **changes))
    assert answer.status_code == 303, answer.content.decode()[:3000]
    return Order.objects.latest("placed_at")
