from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from highstreet.delivery.dispatch.models import Delivery
from highstreet.kernel import clock, ids, states
from highstreet.kernel.models import OutboxEvent
from highstreet.kernel.policy import NOBODY, THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused

from .. import actions, reads
from ..models import RosterShift, WorkRule
from . import support

pytestmark = pytest.mark.django_db
# Monday, 23 November 2026, 12:00 in Porto Alegre.
NOW = support.NOON
TODAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.frozen(NOW):
        yield


def planner(place: support.Town) -> Actor:
    return Actor(
        kind="staff",
        user_id=ids.new_id(),
        organisation_id=place.retailer_id,
        store_ids=None,
        permissions=frozenset({"couriers.plan"}),
    )


def shift(place: support.Town, day: int, start: float, hours: float, courier: Actor | None = None, **more: str) -> UUID:
    """A planned shift `day` days from today at a local hour; taken by the courier, else open."""
    midnight = datetime(2026, 11, 23, 3, tzinfo=UTC)
    begins = midnight + timedelta(days=day, hours=start)
    row = RosterShift.objects.create(
        city_id=place.city_id,
        courier_id=courier.courier_id if courier else None,
        status=more.get("status", "taken" if courier else "open"),
        starts_at=begins,
        ends_at=begins + timedelta(hours=hours),
    )
    return row.pk


def ordered(place: support.Town, days_ago: int, hour: float, count: int) -> None:
    """Orders of a past day."""
    at = datetime(2026, 11, 23, 3, tzinfo=UTC) - timedelta(days=days_ago) + timedelta(hours=hour)
    Delivery.objects.bulk_create(
        Delivery(
            fulfilment_id=ids.new_id(),
            order_id=ids.new_id(),
            city_id=place.city_id,
            store_id=place.store.id,
            lat=0,
            lon=0,
            promised_to=at,
            ready_by=at + timedelta(minutes=10),
            created_at=at + timedelta(minutes=number % 30),
        )
        for number in range(count)
    )


def test_a_town_without_a_past_gets_the_usual_day() -> None:
    place = support.town()
    found = reads.day(planner(place), place.city_id, TODAY + timedelta(days=1))
    assert (found.source, found.days, round(found.orders)) == ("usual", 0, 120)
    WorkRule.objects.create(city_id=place.city_id, usual_orders=240)
    twice = reads.day(planner(place), place.city_id, TODAY + timedelta(days=1))
    assert max(one.needed for one in twice.bins) > max(one.needed for one in found.bins)


def test_what_is_needed_is_learned_from_the_same_weekday_and_never_from_today() -> None:
    place = support.town()
    for week in (1, 2, 3):
        ordered(place, 7 * week, 12, 40)
    ordered(place, 1, 18, 500)
    ordered(place, 0, 10, 900)
    monday = reads.day(planner(place), place.city_id, TODAY + timedelta(days=7))
    assert (monday.source, monday.days, round(monday.orders)) == ("weekday", 3, 40)
    busiest = max(monday.bins, key=lambda one: one.load)
    assert busiest.at.astimezone(UTC).hour in (15, 16)
    tuesday = reads.day(planner(place), place.city_id, TODAY + timedelta(days=1))
    assert (tuesday.source, tuesday.days, round(tuesday.orders)) == ("days", 4, 155)


def test_a_proposal_covers_the_need_by_the_citys_rules_and_is_a_draft() -> None:
    place = support.town()
    for week in (1, 2, 3):
        for hour in range(9, 21):
            ordered(place, 7 * week - 1, hour, 12)
    day = TODAY + timedelta(days=1)
    made = actions.propose(actor=planner(place), city_id=place.city_id, day=day)
    found = reads.day(planner(place), place.city_id, day)
    assert made == found.drafts == len(found.shifts) > 0
    assert not found.published
    assert found.short <= 0.1 * sum(one.needed for one in found.bins) * 30
    for one in found.shifts:
        hours = (one.ends_at - one.starts_at) / timedelta(hours=1)
        assert 2 <= hours <= 8
        assert (one.pause == 30) == (hours >= 6)
    # Anew: in place of the first, not beside it.
    assert actions.propose(actor=planner(place), city_id=place.city_id, day=day) == made
    assert RosterShift.objects.count() == made
    rider = support.courier(place)
    assert reads.to_take(rider) == []


def test_a_day_is_published_once_and_then_seen_by_couriers() -> None:
    place, boss = support.town(), None
    boss = planner(place)
    day = TODAY + timedelta(days=1)
    made = actions.propose(actor=boss, city_id=place.city_id, day=day)
    assert actions.publish(actor=boss, city_id=place.city_id, day=day) == made
    assert OutboxEvent.objects.filter(name="RosterPublished").count() == 1
    with pytest.raises(Refused, match="nothing_to_publish"):
        actions.publish(actor=boss, city_id=place.city_id, day=day)
    # What is published stands: nothing is missing beside it.
    assert actions.propose(actor=boss, city_id=place.city_id, day=day) == 0
    assert len(reads.to_take(support.courier(place))) == made
    with pytest.raises(Refused, match="day_past"):
        actions.propose(actor=boss, city_id=place.city_id, day=TODAY - timedelta(days=1))
    assert support.broken() == []


def test_publishing_is_refused_while_a_rule_of_work_is_broken() -> None:
    place = support.town()
    boss, rider = planner(place), support.courier(place, name="Ana Lima")
    shift(place, 1, 12, 8, rider)
    late = shift(place, 2, 5, 3, status="draft")
    actions.assign(actor=boss, shift_id=late, courier_id=rider.courier_id)  # type: ignore[arg-type]
    day = TODAY + timedelta(days=2)
    with pytest.raises(Refused, match="roster_breaks_rules") as refused:
        actions.publish(actor=boss, city_id=place.city_id, day=day)
    assert refused.value.facts["rule"] == "rest"
    assert "Ana Lima" in refused.value.words
    assert RosterShift.objects.get(pk=late).status == "draft"
    actions.release(actor=boss, shift_id=late)
    assert actions.publish(actor=boss, city_id=place.city_id, day=day) == 1
    assert RosterShift.objects.get(pk=late).status == "open"


def test_a_draft_that_no_rule_allows_is_not_published() -> None:
    place = support.town()
    shift(place, 1, 8, 7, status="draft")
    with pytest.raises(Refused, match="roster_breaks_rules") as refused:
        actions.publish(actor=planner(place), city_id=place.city_id, day=TODAY + timedelta(days=1))
    assert refused.value.facts["rule"] == "no_break"


def test_an_open_shift_is_taken_once() -> None:
    place = support.town()
    ana, rui = support.courier(place), support.courier(place)
    one = shift(place, 1, 12, 4)
    actions.take(actor=ana, shift_id=one)
    actions.take(actor=ana, shift_id=one)
    assert [view.id for view in reads.mine(ana)] == [one]
    with pytest.raises(Refused, match="shift_gone"):
        actions.take(actor=rui, shift_id=one)
    assert OutboxEvent.objects.filter(name="RosterShiftMoved").count() == 1
    assert [change.event for change in states.history([one])] == ["take"]


@pytest.mark.parametrize(
    ("held", "wanted", "rule"),
    [
        ((1, 10, 4), (1, 13, 4), "overlap"),
        ((1, 8, 7), (1, 16, 4), "day"),
        ((1, 18, 5), (2, 8, 4), "rest"),
    ],
)
def test_nobody_takes_what_would_break_a_rule(
    held: tuple[int, float, float], wanted: tuple[int, float, float], rule: str
) -> None:
    place = support.town()
    rider = support.courier(place)
    shift(place, *held, rider)
    one = shift(place, *wanted)
    assert [breach.kind for breach in reads.to_take(rider)[0].breaches] == [rule]
    with pytest.raises(Refused, match="too_much_work") as refused:
        actions.take(actor=rider, shift_id=one)
    assert refused.value.facts["rule"] == rule
    assert RosterShift.objects.get(pk=one).status == "open"


def test_a_week_has_so_many_hours() -> None:
    place = support.town()
    rider = support.courier(place)
    for day in range(1, 6):
        shift(place, day, 10, 8, rider)
    four, five = shift(place, 6, 10, 4), shift(place, 6, 15, 2)
    actions.take(actor=rider, shift_id=four)
    with pytest.raises(Refused, match="too_much_work") as refused:
        actions.take(actor=rider, shift_id=five)
    assert refused.value.facts["rule"] == "week"


def test_a_shift_changes_hands_when_somebody_takes_it_and_not_before() -> None:
    place = support.town()
    ana, rui, eva = (support.courier(place) for _ in range(3))
    one = shift(place, 1, 12, 4, ana)
    with pytest.raises(Refused, match="shift_gone"):
        actions.take(actor=rui, shift_id=one)
    actions.offer(actor=ana, shift_id=one)
    assert [view.status for view in reads.mine(ana)] == ["offered"]
    assert [view.shift.id for view in reads.to_take(rui)] == [one]
    assert reads.to_take(ana) == []
    actions.take(actor=rui, shift_id=one)
    assert (reads.mine(ana), [view.id for view in reads.mine(rui)]) == ([], [one])
    for again in (actions.keep, actions.offer):
        with pytest.raises(Refused, match="not_found"):
            again(actor=ana, shift_id=one)
    with pytest.raises(Refused, match="shift_gone"):
        actions.take(actor=eva, shift_id=one)
    last = OutboxEvent.objects.filter(name="RosterShiftMoved").order_by("-id")[0].payload
    assert (last["courier_id"], last["before_id"]) == (str(rui.courier_id), str(ana.courier_id))


def test_an_offer_can_be_taken_back_by_its_courier_and_by_the_planner() -> None:
    place = support.town()
    ana, rui = support.courier(place), support.courier(place)
    one = shift(place, 1, 12, 4, ana)
    for back in ("keep", "take", "withdraw"):
        actions.offer(actor=ana, shift_id=one)
        if back == "withdraw":
            actions.withdraw(actor=planner(place), shift_id=one)
        else:
            getattr(actions, back)(actor=ana, shift_id=one)
        row = RosterShift.objects.get(pk=one)
        assert (row.status, row.courier_id) == ("taken", ana.courier_id)
    with pytest.raises(Refused, match="shift_gone"):
        actions.take(actor=rui, shift_id=one)


def test_planners_give_take_back_and_withdraw() -> None:
    place = support.town()
    boss, ana = planner(place), support.courier(place)
    one = shift(place, 1, 12, 4)
    actions.assign(actor=boss, shift_id=one, courier_id=ana.courier_id)  # type: ignore[arg-type]
    actions.assign(actor=boss, shift_id=one, courier_id=ana.courier_id)  # type: ignore[arg-type]
    assert [view.id for view in reads.mine(ana)] == [one]
    with pytest.raises(Refused, match="wrong_state"):
        actions.withdraw(actor=boss, shift_id=one)
    actions.release(actor=boss, shift_id=one)
    actions.release(actor=boss, shift_id=one)
    assert reads.mine(ana) == []
    actions.withdraw(actor=boss, shift_id=one)
    assert RosterShift.objects.get(pk=one).status == "withdrawn"
    with pytest.raises(Refused, match="not_found"):
        actions.take(actor=ana, shift_id=one)
    draft = shift(place, 1, 12, 4, status="draft")
    actions.withdraw(actor=boss, shift_id=draft)
    assert not RosterShift.objects.filter(pk=draft).exists()


def test_what_has_begun_stays_as_it_is() -> None:
    place = support.town()
    boss, ana = planner(place), support.courier(place)
    gone, own = shift(place, 0, 10, 4), shift(place, 0, 11, 4, ana)
    with pytest.raises(Refused, match="shift_begun"):
        actions.take(actor=ana, shift_id=gone)
    with pytest.raises(Refused, match="shift_begun"):
        actions.offer(actor=ana, shift_id=own)
    for act in (actions.release, actions.withdraw):
        with pytest.raises(Refused, match="shift_begun"):
            act(actor=boss, shift_id=own)


def test_each_city_is_its_own() -> None:
    here, there = support.town(), support.town()
    stranger, boss = support.courier(there), planner(there)
    one = shift(here, 1, 12, 4)
    own = support.courier(here)
    assert reads.to_take(stranger) == []
    with pytest.raises(Refused, match="not_found"):
        actions.take(actor=stranger, shift_id=one)
    for act in (
        lambda: actions.propose(actor=boss, city_id=here.city_id, day=TODAY),
        lambda: actions.publish(actor=boss, city_id=here.city_id, day=TODAY),
        lambda: actions.withdraw(actor=boss, shift_id=one),
        lambda: actions.assign(actor=boss, shift_id=one, courier_id=own.courier_id),  # type: ignore[arg-type]
        lambda: reads.week(boss, here.city_id, TODAY),
        lambda: reads.shift(boss, one),
    ):
        with pytest.raises(Refused, match="not_found"):
            act()
    with pytest.raises(Refused, match="not_a_courier"):
        actions.assign(actor=planner(here), shift_id=one, courier_id=stranger.courier_id)  # type: ignore[arg-type]
    for who in (NOBODY, own):
        with pytest.raises(Refused, match=r"not_signed_in|forbidden"):
            actions.propose(actor=who, city_id=here.city_id, day=TODAY)


def test_the_database_refuses_two_shifts_of_one_courier_at_once() -> None:
    place = support.town()
    ana, rui = support.courier(place), support.courier(place)
    shift(place, 1, 10, 4, ana)
    shift(place, 1, 10, 4, rui)
    shift(place, 1, 14, 2, ana)
    with pytest.raises(IntegrityError, match="roster_shift_no_overlap"), transaction.atomic():
        shift(place, 1, 13.5, 2, ana)
    with pytest.raises(IntegrityError, match="roster_shift_whose"), transaction.atomic():
        shift(place, 1, 18, 2, ana, status="open")


def test_the_system_may_plan_too() -> None:
    place = support.town()
    assert actions.propose(actor=THE_SYSTEM, city_id=place.city_id, day=TODAY + timedelta(days=1)) > 0
