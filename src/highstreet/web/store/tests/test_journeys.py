"""What the store's people do, through the pages alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from highstreet.kernel import ids
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.supply.inventory import reads as inventory
from highstreet.supply.stores import reads as stores
from highstreet.trade.fulfilment import actions, ports
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.fulfilment.models import PickupCode

from . import world
from .world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def made() -> World:
    return world.build()


@pytest.fixture
def staff(made: World) -> Client:
    return world.person(made, "store_manager", store=made.store)


def base(made: World) -> str:
    return f"/store/{ids.public('str', made.store.pk)}"


def order_url(made: World, order: UUID, tail: str = "") -> str:
    return f"{base(made)}/orders/{ids.public('ful', order)}{tail}"


def words(response: Any) -> str:
    return str(response.content.decode())


def test_ten_lines_are_ten_scans_and_one_tap(made: World, staff: Client) -> None:
    order = world.order(made, lines=[(index, 1) for index in range(10)])
    assert staff.post(order_url(made, order, "/accept"))["Location"] == order_url(made, order)
    for line in fulfilments.detail(THE_SYSTEM, order).lines:
        answer = staff.post(order_url(made, order, "/scan"), {"code": line.barcode})
        assert answer["Location"] == order_url(made, order, "#pick")
    assert staff.post(order_url(made, order, "/pack"))["Location"] == order_url(made, order)
    assert fulfilments.detail(THE_SYSTEM, order).status == "ready"
    assert staff.post(order_url(made, order, "/hand-over"))["Location"] == f"{base(made)}/"
    assert staff.post(order_url(made, order, "/hand-over")).status_code == 302
    assert fulfilments.detail(THE_SYSTEM, order).status == "handed_over"


def test_wrong_code_is_refused_in_the_page_with_both_names(made: World, staff: Client) -> None:
    order = world.order(made, lines=[(2, 1)])
    actions.accept(actor=THE_SYSTEM, fulfilment_id=order)
    answer = staff.post(order_url(made, order, "/scan"), {"code": "6920000000029"})
    assert answer.status_code == 409
    assert "Wrong item: scanned Fresh milk" in words(answer) and "A2-01 Broccoli" in words(answer)
    assert 'id="pick"' in words(answer) and 'value="6920000000029"' in words(answer)
    unknown = staff.post(order_url(made, order, "/scan"), {"code": "4006381333931"}, headers={"hx-request": "true"})
    assert unknown.status_code == 404 and "4006381333931" in words(unknown)
    assert "<html" not in words(unknown)


def test_a_scan_that_is_sent_again_counts_once(made: World, staff: Client) -> None:
    order = world.order(made, lines=[(2, 2)])
    actions.accept(actor=THE_SYSTEM, fulfilment_id=order)
    headers = {"hx-request": "true", "idempotency-key": "k-1"}
    for _ in range(3):
        answer = staff.post(order_url(made, order, "/scan"), {"code": "6920000000043"}, headers=headers)
        assert answer.status_code == 200 and 'data-have="1"' in words(answer)
    staff.post(order_url(made, order, "/scan"), {"code": "6920000000043"}, headers=headers | {"idempotency-key": "k-2"})
    assert fulfilments.detail(THE_SYSTEM, order).picked == 2


def test_packing_too_early_says_what_is_missing(made: World, staff: Client) -> None:
    order = world.order(made, lines=[(2, 2)])
    actions.accept(actor=THE_SYSTEM, fulfilment_id=order)
    answer = staff.post(order_url(made, order, "/pack"))
    assert answer.status_code == 409 and "2 still to pick, first A2-01 Broccoli" in words(answer)


def test_short_line_is_swapped_or_refunded(made: World, staff: Client) -> None:
    order = world.order(made, lines=[(6, 2)], substitution="best")
    actions.accept(actor=THE_SYSTEM, fulfilment_id=order)
    line = fulfilments.detail(THE_SYSTEM, order).lines[0]
    url = order_url(made, order, f"/lines/{ids.public('lin', line.id)}")
    assert "Wholemeal toast" in words(staff.get(url))
    assert staff.post(url, {"units": "3"}).status_code == 422
    nothing = staff.post(f"{url}/substitute", {"units": "1"})
    assert nothing.status_code == 422 and "Choose what to put in its place" in words(nothing)
    other = ids.public("var", made.variants[7].pk)
    assert staff.post(f"{url}/substitute", {"units": "1", "variant": other}).status_code == 302
    assert staff.post(url, {"units": "1"}).status_code == 302
    line = fulfilments.detail(THE_SYSTEM, order).lines[0]
    assert (line.short, line.substitute_state, line.substitute_quantity) == (2, "agreed", 1)
    assert "1 swapped for Wholemeal toast" in words(staff.get(order_url(made, order)))


def test_shopper_without_swaps_is_said(made: World, staff: Client) -> None:
    order = world.order(made, lines=[(6, 2)], substitution="refund")
    actions.accept(actor=THE_SYSTEM, fulfilment_id=order)
    line = fulfilments.detail(THE_SYSTEM, order).lines[0]
    url = order_url(made, order, f"/lines/{ids.public('lin', line.id)}")
    assert "wants the money back" in words(staff.get(url))
    refused = staff.post(f"{url}/substitute", {"units": "1", "variant": ids.public("var", made.variants[7].pk)})
    assert refused.status_code == 409 and "money back instead" in words(refused)


def test_reject_needs_a_reason_from_the_list(made: World, staff: Client) -> None:
    order = world.order(made)
    refused = staff.post(order_url(made, order, "/reject"), {"reason": "bored"})
    assert refused.status_code == 422 and "Choose a reason" in words(refused)
    assert staff.post(order_url(made, order, "/reject"), {"reason": "too_busy"}).status_code == 302
    again = staff.post(order_url(made, order, "/reject"), {"reason": "too_busy"})
    assert again.status_code == 409 and "Too late" in words(again)


class Till:
    """A counter that takes any cash."""

    def take(self, **facts: object) -> None:
        self.facts = facts


def test_pickup_code_is_redeemed_once_with_the_cash(
    made: World, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = Till()
    monkeypatch.setattr(ports, "counter", lambda: till)
    order = world.order(made, mode="pickup", lines=[(0, 1)], collect_due=990, number="P1")
    actions.accept(actor=THE_SYSTEM, fulfilment_id=order)
    actions.scan(actor=THE_SYSTEM, fulfilment_id=order, code="6920000000012")
    actions.pack(actor=THE_SYSTEM, fulfilment_id=order)
    code = PickupCode.objects.get(fulfilment_id=order).code
    url = f"{base(made)}/collect"
    assert staff.get(f"{base(made)}/find?q={code}")["Location"] == f"{url}?code={code}"
    assert staff.get(f"{url}?code=12").status_code == 422
    wrong = staff.get(f"{url}?code={(int(code) + 1) % 10**8:08d}")
    assert wrong.status_code == 422 and "Read it again" in words(wrong)
    assert "P1" in words(staff.get(f"{url}?code={code[:4]} {code[4:]}"))
    unpaid = staff.post(url, {"code": code})
    assert unpaid.status_code == 422 and "Take the money first" in words(unpaid)
    stranger = world.person(made, "store_manager", store=made.other)
    other = f"/store/{ids.public('str', made.other.pk)}/collect"
    assert stranger.post(other, {"code": code, "cash": "taken"}).status_code == 422
    assert staff.post(url, {"code": code, "cash": "taken"}).status_code == 302
    assert till.facts["amount"] == 990
    assert staff.post(url, {"code": code, "cash": "taken"}).status_code == 422


def test_stock_is_put_right_with_a_reason_and_explains_itself(made: World, staff: Client) -> None:
    variant = made.variants[0]
    url = f"{base(made)}/stock/{ids.public('var', variant.pk)}"
    refused = staff.post(f"{url}/adjust", {"way": "fewer", "units": "0", "reason": "", "words": "kept"})
    assert refused.status_code == 422 and 'value="kept"' in words(refused)
    unsaid = staff.post(f"{url}/adjust", {"way": "fewer", "units": "2", "reason": "other"})
    assert unsaid.status_code == 422 and "Say what happened" in words(unsaid)
    staff.post(f"{url}/adjust", {"way": "fewer", "units": "2", "reason": "damaged", "words": "dropped"})
    assert inventory.levels(made.store.pk, [variant.pk])[variant.pk].on_hand == 38
    text = words(staff.get(url))
    assert "Why is this 38?" in text and "Damaged" in text and "dropped" in text
    too_many = staff.post(f"{url}/adjust", {"way": "fewer", "units": "99", "reason": "count"})
    assert too_many.status_code == 409 and 'value="99"' in words(too_many)
    assert staff.get(f"{base(made)}/stock?q={variant.barcode}")["Location"] == url


def test_pause_and_resume(made: World, staff: Client) -> None:
    url = f"{base(made)}/pause"
    assert staff.post(url, {"minutes": "7"}).status_code == 422
    assert staff.post(url, {"minutes": "30"}).status_code == 302
    assert stores.store(made.store.pk).paused_until is not None
    assert "Paused: no new orders until" in words(staff.get(f"{base(made)}/"))
    staff.post(url, {"resume": "1"})
    assert stores.store(made.store.pk).paused_until is None


def test_busy_promises_later_and_ends(made: World, staff: Client) -> None:
    url = f"{base(made)}/pause"
    for wrong in ({"way": "busy"}, {"way": "busy", "extra": "7"}, {"extra": "-10"}):
        assert staff.post(url, wrong).status_code == 422
    assert staff.post(url, {"way": "busy", "extra": "20"}).status_code == 302
    shop = stores.store(made.store.pk)
    assert shop.busy_until is not None
    assert shop.extra_minutes(shop.busy_until - timedelta(minutes=59)) == 20
    assert shop.extra_minutes(shop.busy_until) == 0
    assert shop.is_open(shop.busy_until) == stores.store(made.store.pk).is_open(shop.busy_until)
    assert "Busy: promises are 20 min later until" in words(staff.get(f"{base(made)}/"))
    assert staff.post(url, {"extra": "0"}).status_code == 302
    assert stores.store(made.store.pk).busy_until is None


def test_find_goes_straight_to_the_only_hit(made: World, staff: Client) -> None:
    order = world.order(made, number="A7788")
    assert staff.get(f"{base(made)}/find?q=a7788")["Location"] == order_url(made, order)
    assert "No open order for" in words(staff.get(f"{base(made)}/find?q=%25x"))


def test_figures_count_the_day(made: World, staff: Client) -> None:
    order = world.order(made, lines=[(0, 3)])
    actions.reject(actor=THE_SYSTEM, fulfilment_id=order, reason="closing")
    text = words(staff.get(f"{base(made)}/figures"))
    assert "Rejected" in text and ">3<" in text
    assert staff.get(f"{base(made)}/figures?day=1999-01-01").status_code == 200
    assert staff.get(f"{base(made)}/figures?day=nonsense").status_code == 200


def test_queue_fragment_for_htmx(made: World, staff: Client) -> None:
    world.order(made)
    answer = staff.get(f"{base(made)}/", headers={"hx-request": "true"})
    assert 'id="lists"' in words(answer) and "<html" not in words(answer)
