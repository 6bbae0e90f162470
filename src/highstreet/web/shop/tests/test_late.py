"""What a shopper is told of a delivery that is late, and of one that cannot be given over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest
from django.test import Client
from django.utils import translation

from highstreet.delivery.dispatch.models import Delivery
from highstreet.delivery.dispatch.reads.tracking import Delay, track
from highstreet.delivery.dispatch.rules.causes import Cause
from highstreet.delivery.promise.models import Promise
from highstreet.kernel import clock, outbox
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.fulfilment import actions as fulfilment
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.orders.models import Order
from highstreet.trade.orders.tests.support import Town
from highstreet.trade.payments.actions.capturing import book
from highstreet.trade.payments.models import PaymentIntent

from ..pages import words
from .support import order, page, text

pytestmark = pytest.mark.django_db
CAUSES = [cause for cause in get_args(Cause) if cause]
# Incident -> its words, whether the goods are brought back. What a fleet alone calls so ends the list.
FAILURES = {
    "nobody_home": ("Nobody opened", "没人应门", True),
    "damaged": ("Damaged on the way", "路上损坏了", True),
    "cannot_go_on": ("The courier could not go on", "骑手送不了了", True),
    "refused": ("It was not taken at the door", "上门时没有收下", True),
    "called_back": ("The courier was called back", "骑手被召回", True),
    "lost": ("Lost on the way", "路上丢失了", False),
    "fleet": ("It could not be delivered", "没能送到", False),
    "force_majeure": ("It could not be delivered", "没能送到", False),
}


def accepted(client: Client, town: Town) -> Order:
    """An order that its store has taken; its delivery waits."""
    row = order(client, town.variants[0], address="Public Market")
    intent = PaymentIntent.objects.get(payable=row.pk)
    assert book(THE_SYSTEM, intent, intent.amount, f"wx-{intent.pk}")
    outbox.drain()
    box = fulfilments.of_order(row.pk)
    assert box is not None
    fulfilment.accept(actor=town.worker([*town.stores].index(row.store_id)), fulfilment_id=box.id)
    outbox.drain()
    return row


def become(row: Order, status: str, **columns: Any) -> None:
    Delivery.objects.filter(order_id=row.pk).update(carrier="fleet", status=status, **columns)


def live(client: Client, row: Order) -> str:
    return text(client.get(f"/o/{row.key}?part=live", headers={"HX-Request": "true"}))


def test_a_late_order_says_why_in_the_part_that_renews_itself(town: Town, guest: Client) -> None:
    row = accepted(guest, town)
    assert 'id="why"' not in live(guest, row)
    late = clock.now() - timedelta(minutes=6)
    Order.objects.filter(pk=row.pk).update(promised_to=late)
    Delivery.objects.filter(order_id=row.pk).update(promised_to=late, ready_by=late)
    html = live(guest, row)
    english = guest.cookies["lang"].value == "en"
    assert ("Late because the store has not packed it yet." if english else "晚点原因：门店还没拣好。") in html
    assert html.count('id="why"') == 1 and "every 60s" in html
    assert 'id="why"' in page(guest, f"/o/{row.key}")
    Delivery.objects.filter(order_id=row.pk).update(ready_at=late)
    html = live(guest, row)
    assert ("Late because no courier has taken it yet." if english else "晚点原因：还没有骑手接单。") in html


def test_before_anybody_is_there_it_is_late_by_when_somebody_could_be(town: Town, reader: Client) -> None:
    row = accepted(reader, town)
    due = clock.now() + timedelta(minutes=1)
    Order.objects.filter(pk=row.pk).update(promised_to=due)
    html = live(reader, row)
    assert "min late" in html and "On time" not in html and "Late because no courier has taken it yet." in html


@pytest.mark.parametrize("incident", FAILURES)
def test_each_failure_is_called_what_it_is(town: Town, guest: Client, incident: str) -> None:
    row = accepted(guest, town)
    box = fulfilments.of_order(row.pk)
    assert box is not None
    code = " ".join(box.handover_code)
    assert code in live(guest, row)
    become(row, "failed", incident=incident)
    html = live(guest, row)
    english = guest.cookies["lang"].value == "en"
    name, name_zh, back = FAILURES[incident]
    assert (name if english else name_zh) in html and ("Not delivered" if english else "没送到") in html
    brought = "The courier takes it back to" if english else "骑手正把货送回"
    looked_for = "We are looking for it" if english else "我们正在找这单货"
    assert (brought in html, looked_for in html) == (back, not back)
    assert "everything you paid goes back" in html or "全部原路退回" in html
    # Nobody comes again: no code to tell, no credit to wait for, no word of another try.
    assert code not in html and "second try" not in html and "第二次" not in html
    assert "comes back by itself" not in html and "自动" not in html and 'id="why"' not in html


def test_what_was_damaged_is_made_good_at_once_and_said(town: Town, reader: Client) -> None:
    row = accepted(reader, town)
    become(row, "failed", incident="damaged")
    assert "points are on your account" not in live(reader, row)
    Promise.objects.filter(order_id=row.pk).update(outcome="broken", compensation=500)
    assert "¥5 in points are on your account" in live(reader, row)


def test_between_the_store_and_the_refund_nothing_is_on_its_way(town: Town, reader: Client) -> None:
    row = accepted(reader, town)
    become(row, "returned", incident="nobody_home")
    html = live(reader, row)
    assert "Nobody opened" in html and "The order ends now" in html and "On time" not in html


def test_an_order_that_came_back_says_why_when_it_has_ended(town: Town, reader: Client) -> None:
    row = accepted(reader, town)
    become(row, "returned", incident="lost")
    Order.objects.filter(pk=row.pk).update(status="cancelled", end_reason="returned", ended_at=clock.now())
    html = page(reader, f"/o/{row.key}")
    assert "Cancelled" in html and "Lost on the way" in html


def test_every_cause_has_words_in_both_languages(town: Town, reader: Client) -> None:
    row = accepted(reader, town)
    for status in ("waiting", "accepted", "picked_up"):
        become(row, status)
        seen = track(row.pk)
        said: dict[str, set[str]] = {}
        for language in ("en", "zh-hans"):
            with translation.override(language):
                said[language] = {words._why(seen, Delay(None, 60, cause)) for cause in CAUSES}
        assert all(len(found) == len(CAUSES) and "" not in found for found in said.values())
        assert not said["en"] & said["zh-hans"]


def test_stops_are_counted_by_one_and_by_more(town: Town, reader: Client) -> None:
    row = accepted(reader, town)
    become(row, "picked_up")
    seen = track(row.pk)
    assert seen is not None
    with translation.override("en"):
        said = [words._why(replace(seen, stops_before=n), Delay(None, 60, "other_door")) for n in (1, 2)]
    assert [one.split(" has ")[1] for one in said] == ["1 stop before yours.", "2 stops before yours."]
