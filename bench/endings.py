"""How every order of a day ended, and what is still open: delivered, refunded in full, or compensated; none stuck."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

ENDED = ("completed", "cancelled", "expired")
# Of orders that end with a credit whatever was promised (`orders.actions.let_down`).
LET_DOWN = ("no_store", "no_courier")
SETTLE_WALL = 120.0


@dataclass
class Endings:
    """`how` counts every order once; `wrong` names each that is stuck, short of money or of its credit, and whatever
    else has not come to rest."""

    how: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    compensated: int = 0
    wrong: list[str] = field(default_factory=list)


def settled(seconds: float = SETTLE_WALL) -> Endings:
    """How they ended once the last refunds have settled, or as it is after `seconds` of the wall."""
    deadline = time.monotonic() + seconds
    while (found := endings()).wrong and time.monotonic() < deadline:
        time.sleep(2.0)
    return found


def endings() -> Endings:
    from django.db.models import Sum

    from highstreet.delivery.promise.models import Promise
    from highstreet.kernel.models import Journal
    from highstreet.supply.organisations import reads as organisations
    from highstreet.trade.orders.models import Order
    from highstreet.trade.payments.models import Refund

    found = Endings(wrong=_open())
    credited = set(Journal.objects.filter(kind="compensation").values_list("cause", flat=True))
    promises = {one.order_id: one for one in Promise.objects.all()}
    went = Refund.objects.filter(status="succeeded").values("intent__payable").annotate(fen=Sum("amount"))
    back = dict(went.values_list("intent__payable", "fen"))
    terms = {city.id: organisations.terms(city.retailer_id) for city in organisations.cities()}
    for order in Order.objects.order_by("placed_at"):
        if order.status not in ENDED:
            found.how["not ended"] += 1
            found.wrong.append(f"order {order.number} is {order.status}")
            continue
        found.compensated += order.pk in credited
        gone, promise = order.refunded + order.compensated, promises.get(order.pk)
        if back.get(order.pk, 0) != gone:
            found.wrong.append(f"order {order.number}: {back.get(order.pk, 0)} fen of {gone} went back")
        owed = promise is not None and promise.outcome == "broken" and promise.compensation > 0
        owed |= order.end_reason in LET_DOWN and terms[order.city_id].late_credit > 0
        if owed and order.pk not in credited:
            found.wrong.append(f"order {order.number}: its broken promise was not made good")
        if order.status == "completed":
            found.how["delivered" if order.mode == "delivery" else "collected"] += 1
            continue
        if order.captured:
            found.reasons[order.end_reason] += 1
        if gone != order.captured:
            found.wrong.append(f"order {order.number} is {order.status} and keeps {order.captured - gone} fen")
        found.how["refunded in full" if order.captured else "never paid"] += 1
    return found


def _open() -> list[str]:
    """What should be at rest when all orders are."""
    from highstreet.delivery.dispatch.models import Delivery
    from highstreet.delivery.dispatch.states import ENDED as RIDDEN
    from highstreet.delivery.fleets.models import FleetEvent, FleetOrder
    from highstreet.delivery.fleets.states import LIVE
    from highstreet.trade.fulfilment.models import Fulfilment
    from highstreet.trade.fulfilment.states import ENDED as FULFILLED

    rows = {
        "fulfilment": Fulfilment.objects.exclude(status__in=FULFILLED).values_list("order_number", "status"),
        "delivery": Delivery.objects.exclude(status__in=RIDDEN).values_list("order_number", "status"),
        "order at a fleet": FleetOrder.objects.filter(status__in=LIVE).values_list("order_number", "status"),
        "callback of a fleet": FleetEvent.objects.filter(applied_at=None).values_list("number", "code"),
    }
    return [f"{what} {number} is {state}" for what, found in rows.items() for number, state in found]


def table(found: Endings, happened: Mapping[str, int]) -> str:
    """As it stands in docs/reliability.md."""
    how = found.how
    lines = [
        ("orders", how.total()),
        ("delivered or collected", how["delivered"] + how["collected"]),
        ("ended without goods, refunded in full", how["refunded in full"]),
        ("never paid, expired or cancelled", how["never paid"]),
        ("not ended", how["not ended"]),
        ("a broken promise made good with a credit", found.compensated),
        *happened.items(),
    ]
    return "\n".join(["| what | number |", "|---|---|", *(f"| {what} | {number:,} |" for what, number in lines)])
