"""What the last hours teach: how late a promise must allow for, how fast each shop packs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON
from highstreet.kernel import clock
from highstreet.supply.stores import reads as stores
from highstreet.supply.stores.models import Store
from highstreet.trade.orders.ports import PromiseOffer

from .. import reads, rules
from ..models import Promise
from .test_actions import kept_for, offer, sure

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def ended(place: support.Town, made: PromiseOffer, late: int, *, count: int = 60, store: int = 0) -> None:
    """Deliveries that ended some `late` seconds after they were expected, promised as `made`."""
    for number in range(count):
        order_id = kept_for(place, made)
        at = datetime.fromisoformat(made.basis["expected"]) + timedelta(seconds=late + number)
        Promise.objects.filter(order_id=order_id).update(
            store_id=place.stores[store].id,
            outcome="kept" if at <= made.promised_to else "broken",
            ready_at=NOON + timedelta(minutes=made.basis["prep_usual"]),
            fulfilled_at=at,
            late_seconds=(at - made.promised_to).total_seconds(),
        )
    reads.forget()


def residual(place: support.Town, minutes: float) -> int:
    with clock.frozen(NOON + timedelta(minutes=minutes)):
        reads.forget()
        return int(sure(offer(place, at=clock.now())).basis["residual_seconds"])


def test_a_city_that_keeps_more_than_it_promised_promises_sooner() -> None:
    place = support.town(opens=0, closes=1440)
    support.courier(place, 0)
    before = residual(place, 30)
    assert 220 < before < 360, "a short ride's"
    ended(place, sure(offer(place)), -200)
    assert residual(place, 30) == 180, "half of what the longest begins with, and no less: the next rush needs room"
    assert residual(place, 60 * 13 + 30) == before, "forgotten"


def test_a_city_that_breaks_its_promises_promises_later() -> None:
    place = support.town()
    support.courier(place, 0)
    made = sure(offer(place))
    ended(place, made, 700, count=20)
    assert 700 < residual(place, 30) <= rules.MOST_RESIDUAL
    # 20 of 400 may be broken at the ninetieth; 20 of 100 may not, however well it goes now.
    with clock.frozen(NOON + timedelta(minutes=29)):
        ended(place, made, -200, count=80)
        assert residual(place, 30) > 450
        ended(place, made, -200, count=300)
    assert residual(place, 30) == 180


def test_another_shops_delays_count_less() -> None:
    near, far = support.town(2), support.town(2)
    for place, store in ((near, 0), (far, 1)):
        support.courier(place, 0)
        ended(place, sure(offer(place)), 500, count=8, store=store)
    assert residual(near, 40) > residual(far, 40) > 300


def test_what_is_overdue_is_heard_before_it_ends() -> None:
    place = support.town()
    support.courier(place, 0)
    made = sure(offer(place))
    before = residual(place, 60)
    for _ in range(8):
        kept_for(place, made)
    assert residual(place, 60) > before + 200
    Promise.objects.update(outcome="void")
    assert residual(place, 60) == before, "what was cancelled teaches nothing"


def test_a_shop_that_packs_slower_than_reckoned_promises_later() -> None:
    place = support.town(2)
    support.courier(place, 0)
    before = sure(offer(place))
    for number in range(24):
        order_id = kept_for(place, before)
        packed = NOON + timedelta(minutes=2 * before.basis["prep_usual"] + number % 3)
        Promise.objects.filter(order_id=order_id).update(ready_at=packed, outcome="void", made_at=NOON)
    with clock.frozen(NOON + timedelta(minutes=50)):
        reads.forget()
        slow = sure(offer(place, at=clock.now()))
        assert slow.basis["prep_usual"] == before.basis["prep_usual"]
        assert 1.6 < slow.basis["prep_minutes"] / slow.basis["prep_usual"] < 2.2
        elsewhere = sure(offer(place, at=clock.now(), store=1))
        assert elsewhere.basis["prep_minutes"] == elsewhere.basis["prep_usual"], "another shop is another shop"
    with clock.frozen(NOON + timedelta(hours=4)):
        reads.forget()
        again = sure(offer(place, at=clock.now()))
        assert again.basis["prep_minutes"] == again.basis["prep_usual"], "three hours later it is a new day"


def test_a_busy_shop_promises_later_by_what_it_says() -> None:
    place = support.town()
    support.courier(place, 0)
    before = sure(offer(place))
    Store.objects.filter(pk=place.store.id).update(busy_minutes=20, busy_until=NOON + timedelta(minutes=60))
    busy = replace(place, stores=[stores.store(place.store.id)])
    assert sure(offer(busy)).basis["prep_minutes"] == pytest.approx(before.basis["prep_minutes"] + 20)
    assert sure(offer(busy)).promised_to >= before.promised_to + timedelta(minutes=15)
    later = sure(offer(busy, at=NOON + timedelta(minutes=60)))
    assert later.basis["prep_minutes"] == before.basis["prep_minutes"]
