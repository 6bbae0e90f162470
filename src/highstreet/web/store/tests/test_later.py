"""Orders for a time that the shopper chose: which list they are in, and what the screens and the slip say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from highstreet.kernel import clock, ids
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.trade.fulfilment import actions
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.fulfilment.models import Fulfilment

from . import world
from .world import World

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
# Noon in the city.
NOON = datetime(2026, 11, 26, 15, 0, tzinfo=UTC)
FIVE = NOON + 5 * HOUR
CHINESE = {"accept-language": "zh-CN"}


@pytest.fixture
def made() -> Iterator[World]:
    with clock.frozen(NOON):
        yield world.build()


@pytest.fixture
def staff(made: World) -> Client:
    return world.person(made, "picker", store=made.store)


def later(made: World, number: str, opens: datetime = FIVE, *, accepted: bool = True, mode: str = "delivery") -> UUID:
    """An order for the hour from `opens` on: begun 25 minutes before it, ready 5 minutes before."""
    window = (opens, opens + HOUR) if mode == "delivery" else (opens - 15 * MINUTE, opens)
    made_order = world.order(
        made, number=number, mode=mode, window=window, start_at=opens - 25 * MINUTE, due_in=opens - 5 * MINUTE - NOON
    )
    if accepted:
        actions.accept(actor=THE_SYSTEM, fulfilment_id=made_order)
    return made_order


def base(made: World) -> str:
    return f"/store/{ids.public('str', made.store.pk)}"


def url(made: World, order: UUID, tail: str = "") -> str:
    return f"{base(made)}/orders/{ids.public('ful', order)}{tail}"


def words(response: Any) -> str:
    return str(response.content.decode())


def lists(text: str) -> dict[str, list[str]]:
    """The numbers of each list of the queue, in order."""
    parts = re.split(r'<section aria-labelledby="h-(\w+)"', text)[1:]
    return {
        name: re.findall(r'class="row-link"[^>]*>(\w+)<', part)
        for name, part in zip(parts[::2], parts[1::2], strict=True)
    }


def plain(text: str) -> str:
    return re.sub(r"<[^>]+>", "", text)


def queue(made: World, staff: Client, at: datetime = NOON) -> str:
    with clock.frozen(at):
        return words(staff.get(f"{base(made)}/"))


def card(text: str, order: UUID) -> str:
    """An order's card in the queue, with its tags."""
    found = re.search(rf'<li class="panel order[^>]*id="o-{ids.public("ful", order)}">.*?</li>', text, re.DOTALL)
    assert found is not None
    return found[0]


def test_what_is_for_later_has_a_list_of_its_own_by_when_it_begins(made: World, staff: Client) -> None:
    tomorrow = later(made, "TOMORROW", FIVE + 24 * HOUR)
    evening, early = later(made, "EVENING", FIVE + HOUR), later(made, "EARLY")
    later(made, "PENDING", FIVE + 2 * HOUR, accepted=False)
    # What has to be ready first need not begin first.
    Fulfilment.objects.filter(pk=early).update(ready_by=FIVE + 3 * HOUR)
    world.order(made, number="FRESH")
    actions.accept(actor=THE_SYSTEM, fulfilment_id=world.order(made, number="ATONCE"))
    text = queue(made, staff)
    assert lists(text) == {
        "new": ["FRESH"],
        "picking": ["ATONCE"],
        "later": ["EARLY", "EVENING", "PENDING", "TOMORROW"],
        "ready": [],
    }
    assert "Start at 17:35" in card(text, evening) and "· 18:00–19:00" in plain(card(text, evening))
    assert "min left" not in card(text, evening) and "ready by" not in card(text, evening)
    assert "Start tomorrow at 16:35" in card(text, tomorrow) and "tomorrow 17:00–18:00" in card(text, tomorrow)


def test_later_in_chinese(made: World, staff: Client) -> None:
    order, tomorrow = later(made, "EARLY"), later(made, "TOMORROW", FIVE + 24 * HOUR)
    text = words(staff.get(f"{base(made)}/", headers=CHINESE))
    assert "稍后" in text
    assert "16:35 开始拣货" in card(text, order) and "17:00–18:00" in card(text, order)
    assert "明天 16:35 开始拣货" in card(text, tomorrow) and "明天 17:00–18:00" in card(text, tomorrow)


def test_without_such_orders_there_is_no_such_list(made: World, staff: Client) -> None:
    world.order(made)
    text = queue(made, staff)
    assert list(lists(text)) == ["new", "picking", "ready"] and " four" not in text


def test_at_its_time_it_moves_by_itself(made: World, staff: Client) -> None:
    accepted, pending = later(made, "TAKEN"), later(made, "UNTAKEN", accepted=False)
    start = FIVE - 25 * MINUTE
    before = lists(queue(made, staff, start - timedelta(seconds=61)))
    assert (before["new"], before["picking"], before["later"]) == ([], [], ["TAKEN", "UNTAKEN"])
    text = queue(made, staff, start - MINUTE)
    assert lists(text) == {"new": ["UNTAKEN"], "picking": ["TAKEN"], "ready": []}
    text = queue(made, staff, start + MINUTE)
    for order in (accepted, pending):
        assert "19 min left" in card(text, order) and "Start at" not in card(text, order)
        assert "· 17:00–18:00" in plain(card(text, order)) and "ready by 16:55" in card(text, order)


def test_what_was_begun_early_is_being_picked(made: World, staff: Client) -> None:
    order = later(made, "EARLY")
    assert "Scan the next item" in words(staff.get(url(made, order)))
    assert staff.post(url(made, order, "/scan"), {"code": "6920000000012"}).status_code == 302
    assert lists(queue(made, staff)) == {"new": [], "picking": ["EARLY"], "ready": []}


def test_to_pick_stays_by_when_it_has_to_be_ready(made: World, staff: Client) -> None:
    later(made, "CHOSEN")
    actions.accept(actor=THE_SYSTEM, fulfilment_id=world.order(made, number="BEFORE", due_in=4 * HOUR))
    actions.accept(actor=THE_SYSTEM, fulfilment_id=world.order(made, number="AFTER", due_in=6 * HOUR))
    assert lists(queue(made, staff, FIVE - 10 * MINUTE))["picking"] == ["BEFORE", "CHOSEN", "AFTER"]


def test_it_is_new_until_it_is_accepted(made: World, staff: Client) -> None:
    order = later(made, "EARLY", accepted=False)
    text = queue(made, staff)
    assert 'data-new="1"' in text and f"accept-{ids.public('ful', order)}" in card(text, order)
    assert staff.post(url(made, order, "/accept"))["Location"] == f"{base(made)}/"
    assert fulfilments.detail(THE_SYSTEM, order).status == "accepted"
    text = queue(made, staff)
    assert "EARLY accepted: it waits under Later" in text
    assert "data-new" not in text and lists(text)["later"] == ["EARLY"]
    assert "accept-" not in card(text, order) and "<progress" not in card(text, order)


def test_accepted_at_its_time_the_pick_list_is_next(made: World, staff: Client) -> None:
    order = later(made, "EARLY", accepted=False)
    with clock.frozen(FIVE - 25 * MINUTE):
        assert staff.post(url(made, order, "/accept"))["Location"] == url(made, order)


def test_the_order_says_its_time_until_it_begins(made: World, staff: Client) -> None:
    order = later(made, "EARLY")
    said = "Chosen time: today 17:00–18:00. Start at 16:35 so that it is fresh when the courier comes."
    text = words(staff.get(url(made, order)))
    assert said in text and "min left" not in text
    text = words(staff.get(url(made, order), headers=CHINESE))
    assert "顾客选的时间：今天 17:00–18:00。16:35 开始拣货，骑手来时正新鲜。" in text
    with clock.frozen(FIVE - 25 * MINUTE):
        text = words(staff.get(url(made, order)))
    assert "Chosen time" not in text and "delivery · 17:00–18:00" in plain(text) and "20 min left" in text


def test_the_order_for_tomorrow_names_the_day(made: World, staff: Client) -> None:
    order = later(made, "TOMORROW", FIVE + 24 * HOUR)
    assert "Chosen time: tomorrow 17:00–18:00. Start tomorrow at 16:35 so" in words(staff.get(url(made, order)))
    last = later(made, "LAST", NOON + 11 * HOUR)
    assert "Chosen time: today 23:00–00:00." in words(staff.get(url(made, last)))


def test_a_pick_up_is_from_its_time_on(made: World, staff: Client) -> None:
    order = later(made, "PICKUP", mode="pickup")
    said = "Chosen time: today from 17:00. Start at 16:35 so that it is fresh when the shopper comes."
    assert said in words(staff.get(url(made, order)))
    assert "pickup · from 17:00" in plain(card(queue(made, staff), order))
    assert "17:00 起可取" in words(staff.get(url(made, order), headers=CHINESE))
    assert "Pickup · from 17:00" in words(staff.get(url(made, order, "/print")))


def test_an_order_for_now_says_nothing_of_a_chosen_time(made: World, staff: Client) -> None:
    order = world.order(made, number="NOW")
    text = words(staff.get(url(made, order)))
    assert "Chosen time" not in text and "20 min left" in text and "ready by 12:20" in text
    assert "12:00–" not in text and "12:00–" not in queue(made, staff)
    assert "promised by 12:35" in words(staff.get(url(made, order, "/print")))


def test_what_waits_for_its_courier_names_the_window(made: World, staff: Client) -> None:
    order, at_once = later(made, "EARLY"), world.order(made, number="ATONCE")
    Fulfilment.objects.filter(pk__in=[order, at_once]).update(status="ready")
    text = queue(made, staff)
    assert "· 17:00–18:00" in plain(card(text, order)) and "promised by" not in card(text, order)
    assert "promised by 12:35" in card(text, at_once)


def test_the_slip_has_the_window_and_its_date(made: World, staff: Client) -> None:
    today, tomorrow = later(made, "EARLY"), later(made, "TOMORROW", FIVE + 24 * HOUR)
    text = words(staff.get(url(made, today, "/print")))
    assert ">17:00–18:00<" in text and "promised by" not in text and "ready by 16:55" in text
    text = words(staff.get(url(made, tomorrow, "/print")))
    assert "27 Nov 17:00–18:00" in text and "ready by 27 Nov 16:55" in text
    text = words(staff.get(url(made, tomorrow, "/print"), headers=CHINESE))
    assert "11 月 27 日 17:00–18:00" in text


def test_taken_over_from_another_store_the_window_stays(made: World, staff: Client) -> None:
    order = later(made, "MOVED")
    Fulfilment.objects.filter(pk=order).update(start_at=None)
    assert lists(queue(made, staff))["picking"] == ["MOVED"]
    text = words(staff.get(url(made, order)))
    assert "delivery · 17:00–18:00" in plain(text) and "Chosen time" not in text
    assert ">17:00–18:00<" in words(staff.get(url(made, order, "/print")))


def for_its_courier(made: World, number: str = "SOON", starts_in: int = 8, *, accepted: bool = True) -> UUID:
    """An order as soon as possible whose courier is late: begun in so many minutes, ready nine after."""
    order = world.order(made, number=number, start_at=NOON + starts_in * MINUTE, due_in=(starts_in + 9) * MINUTE)
    if accepted:
        actions.accept(actor=THE_SYSTEM, fulfilment_id=order)
    return order


def test_what_waits_for_its_courier_is_later_by_when_it_begins(made: World, staff: Client) -> None:
    soon, sooner = for_its_courier(made), for_its_courier(made, "SOONER", 6)
    Fulfilment.objects.filter(pk=sooner).update(ready_by=NOON + HOUR)
    later(made, "EVENING")
    text = queue(made, staff)
    assert lists(text) == {"new": [], "picking": [], "later": ["SOONER", "SOON", "EVENING"], "ready": []}
    assert "Start at 12:08" in card(text, soon) and "min left" not in card(text, soon)
    assert 'class="window"' not in card(text, soon)
    chinese = words(staff.get(f"{base(made)}/", headers=CHINESE))
    assert "12:08 开始拣货" in card(chinese, soon)


def test_it_is_new_until_it_is_accepted_as_a_courier_is_sought_then(made: World, staff: Client) -> None:
    order = for_its_courier(made, accepted=False)
    text = queue(made, staff)
    assert lists(text) == {"new": ["SOON"], "picking": [], "ready": []}
    assert "Start at 12:08" in card(text, order) and f"accept-{ids.public('ful', order)}" in card(text, order)
    assert staff.post(url(made, order, "/accept"))["Location"] == f"{base(made)}/"
    assert lists(queue(made, staff))["later"] == ["SOON"]


def test_it_may_be_begun_now_and_says_so(made: World, staff: Client) -> None:
    order = for_its_courier(made)
    text = words(staff.get(url(made, order)))
    assert "Start at 12:08 so that it is fresh when the courier comes. Nothing else to do? You may start now." in text
    assert "Chosen time" not in text
    text = words(staff.get(url(made, order), headers=CHINESE))
    assert "12:08 开始拣货，骑手来时正新鲜。手头没别的事？现在开始也行。" in text
    assert staff.post(url(made, order, "/scan"), {"code": "6920000000012"}).status_code == 302
    assert lists(queue(made, staff)) == {"new": [], "picking": ["SOON"], "ready": []}


def test_when_its_courier_comes_sooner_it_is_to_pick_at_once(made: World, staff: Client) -> None:
    order = for_its_courier(made)
    actions.start_sooner(actor=THE_SYSTEM, fulfilment_id=order, at=NOON)
    text = queue(made, staff)
    assert lists(text)["picking"] == ["SOON"] and "9 min left" in card(text, order)


def test_its_slip_names_no_window(made: World, staff: Client) -> None:
    text = words(staff.get(url(made, for_its_courier(made), "/print")))
    assert "promised by 12:32" in text and "12:00–" not in text
