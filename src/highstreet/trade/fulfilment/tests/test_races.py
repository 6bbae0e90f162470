"""Two people do the same thing at once: one wins, the other is told so."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from highstreet.kernel.refusal import Refused
from highstreet.trade.fulfilment import actions
from highstreet.trade.fulfilment.models import FulfilmentLine, PickupCode

from . import support

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(count: int, work: Callable[[], object]) -> list[str]:
    """`count` threads start `work` at a barrier; what each got: "ok" or the refusal's code."""
    barrier = Barrier(count)

    def one(_: int) -> str:
        try:
            barrier.wait()
            work()
            return "ok"
        except Refused as refused:
            return refused.reason.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(one, range(count)))


def test_twelve_scans_of_three_units_pick_three() -> None:
    place = support.shop()
    staff, row = place.staff(), support.order(place, {"toast": 3})
    actions.accept(actor=staff, fulfilment_id=row.pk)
    actions.start_picking(actor=staff, fulfilment_id=row.pk)
    got = at_once(12, lambda: actions.scan(actor=staff, fulfilment_id=row.pk, code="SKU-3"))
    assert got == ["already_picked"] * 9 + ["ok"] * 3
    assert FulfilmentLine.objects.get(fulfilment=row).picked == 3
    support.assert_clean()


def test_eight_tills_redeem_one_code_once() -> None:
    place = support.shop()
    staff = place.staff()
    row = support.ready(support.order(place, mode="pickup"), staff)
    code = PickupCode.objects.get(fulfilment=row).code
    got = at_once(8, lambda: actions.collect(actor=staff, store_id=place.store.pk, code=code))
    assert got == ["ok"] + ["pickup_code_used"] * 7
    support.assert_clean()


def test_packing_twice_at_once_takes_the_stock_once() -> None:
    place = support.shop()
    staff, row = place.staff(), support.order(place)
    actions.accept(actor=staff, fulfilment_id=row.pk)
    support.pick_all(row, staff)
    got = at_once(6, lambda: actions.pack(actor=staff, fulfilment_id=row.pk))
    assert got == ["ok"] + ["wrong_state"] * 5
    assert place.stock("broccoli") == (8, 0, 0)
    support.assert_clean()
