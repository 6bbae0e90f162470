"""What couriers say of their time, and what a proposal makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from highstreet.kernel import clock, ids
from highstreet.kernel.policy import NOBODY, Actor
from highstreet.kernel.refusal import Refused

from .. import actions, reads
from ..models import Courier, RosterShift, Wish, WorkRule
from ..reads import ShiftView
from ..rules import Wish as Said
from ..rules import answer
from . import support
from .test_roster import NOW, TODAY, ordered, planner, shift

ZONE = ZoneInfo("America/Sao_Paulo")
TOMORROW = TODAY + timedelta(days=1)


def said(kind: str, start: float, end: float, day: date | int = TOMORROW) -> Said:
    """Of a date, or of a weekday."""
    times = round(start * 60), round(end * 60)
    return Said(kind, *times, weekday=day) if isinstance(day, int) else Said(kind, *times, day=day)


def asks(wishes: list[Said], start: float, end: float, day: date = TOMORROW) -> str:
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZONE)
    return answer(wishes, (midnight + timedelta(hours=start), midnight + timedelta(hours=end)), ZONE)


def test_a_shift_is_wished_for_where_all_of_it_is() -> None:
    evening = [said("want", 18, 22)]
    assert asks(evening, 18, 22) == asks(evening, 19, 21) == "want"
    assert asks(evening, 17.5, 21) == asks(evening, 19, 22.5) == asks(evening, 8, 10) == ""
    assert asks(evening, 18, 22, TODAY) == ""
    # Of two that meet, a shift over both; with a gap between them, none.
    assert asks([said("want", 8, 12), said("want", 12, 16)], 10, 14) == "want"
    assert asks([said("want", 8, 12), said("want", 12.5, 16)], 10, 14) == ""


def test_the_harder_word_counts_where_any_of_the_shift_is_touched() -> None:
    wishes = [said("want", 8, 22), said("avoid", 14, 16), said("cannot", 15, 15.5)]
    assert asks(wishes, 8, 14) == "want"
    assert asks(wishes, 8, 14.5) == "avoid"
    assert asks(wishes, 8, 15.5) == asks(wishes, 15.25, 20) == "cannot"
    assert asks(wishes, 15.5, 16) == "avoid"
    assert asks(wishes, 16, 22) == "want"


def test_a_weekday_comes_again_and_a_night_is_of_two_days() -> None:
    tuesdays = [said("want", 18, 24, 1), said("want", 0, 2, 2), said("cannot", 2, 3, 2)]
    assert asks(tuesdays, 20, 26) == asks(tuesdays, 20, 26, TOMORROW + timedelta(days=7)) == "want"
    assert asks(tuesdays, 20, 27) == "cannot"
    assert asks(tuesdays, 20, 22, TODAY) == ""


@pytest.mark.parametrize(
    "wrong",
    [
        Said("want", 600, 600, weekday=1),
        Said("want", -1, 600, weekday=1),
        Said("want", 600, 1441, weekday=1),
        Said("maybe", 600, 700, weekday=1),
        Said("want", 600, 700),
        Said("want", 600, 700, weekday=7),
        Said("want", 600, 700, weekday=1, day=TODAY),
    ],
)
def test_what_is_no_time_is_refused(wrong: Said) -> None:
    assert not wrong.sane()


@pytest.fixture
def place(db: None) -> Iterator[support.Town]:
    """A town whose Tuesdays bring twelve orders an hour from nine to nine."""
    with clock.frozen(NOW):
        made = support.town()
        for week in (1, 2, 3):
            for hour in range(9, 21):
                ordered(made, 7 * week - 1, hour, 12)
        yield made


def wishes(rider: Actor, *ones: Said) -> Actor:
    for one in ones:
        actions.wish(actor=rider, said=one)
    return rider


def proposed(place: support.Town, day: date = TOMORROW) -> list[ShiftView]:
    actions.propose(actor=planner(place), city_id=place.city_id, day=day)
    return reads.day(planner(place), place.city_id, day).shifts


def of(rider: Actor, shifts: list[ShiftView]) -> list[tuple[float, float]]:
    """The rider's shifts as local hours."""
    mine = [one for one in shifts if one.courier_id == rider.courier_id]
    local = [(one.starts_at.astimezone(ZONE), one.ends_at.astimezone(ZONE)) for one in mine]
    return [(a.hour + a.minute / 60, b.hour + b.minute / 60) for a, b in local]


def test_who_wishes_for_a_time_is_given_a_shift_of_it_and_the_others_stay_open(place: support.Town) -> None:
    ana = wishes(support.courier(place), said("want", 18, 22))
    rui = wishes(support.courier(place), said("want", 9, 15, 1))
    eva = support.courier(place)
    shifts = proposed(place)
    ((start, end),) = of(ana, shifts)
    assert 18 <= start < end <= 22
    ((start, end),) = of(rui, shifts)
    assert 9 <= start < end <= 15
    assert of(eva, shifts) == []
    assert sum(one.courier_id is None for one in shifts) > 3
    found = reads.day(planner(place), place.city_id, TOMORROW)
    assert (found.asked, found.granted, found.against) == (2, 2, 0)
    actions.publish(actor=planner(place), city_id=place.city_id, day=TOMORROW)
    assert [one.said for one in reads.mine(ana)] == ["want"]
    assert support.broken() == []


def test_service_comes_before_wishes(place: support.Town) -> None:
    """Nobody is needed at night, and one evening is not forty couriers'."""
    before = len(proposed(place))
    owl = wishes(support.courier(place), said("want", 0, 6))
    riders = [wishes(support.courier(place), said("want", 11, 21)) for _ in range(40)]
    shifts = proposed(place)
    assert of(owl, shifts) == []
    given = [one for one in riders if of(one, shifts)]
    assert 3 < len(given) < 40
    found = reads.day(planner(place), place.city_id, TOMORROW)
    assert (found.asked, found.granted) == (41, len(given))
    assert len(shifts) <= before + 2
    assert found.short <= 0.1 * sum(one.needed for one in found.bins) * 30


def test_nobody_is_given_what_they_cannot_or_would_rather_not(place: support.Town) -> None:
    riders = [
        wishes(support.courier(place), said("want", 8, 22), said(kind, 8 + number, 10 + number))
        for number in range(10)
        for kind in ("cannot", "avoid")
    ]
    shifts = proposed(place)
    given = [(number, of(rider, shifts)) for number, rider in enumerate(riders)]
    assert sum(bool(ones) for _, ones in given) > 8
    for number, ones in given:
        barred = 8 + number // 2
        assert all(end <= barred or start >= barred + 2 for start, end in ones)


def test_who_is_planned_least_this_week_comes_first_and_has_one_shift_a_day(place: support.Town) -> None:
    WorkRule.objects.create(city_id=place.city_id, usual_orders=120)
    riders = [wishes(support.courier(place), said("want", 18, 22)) for _ in range(40)]
    shifts = proposed(place)
    first = [one for one in riders if of(one, shifts)]
    for one in first:
        shift(place, 3, 10, 4, one)
    shifts = proposed(place)
    second = [one for one in riders if of(one, shifts)]
    assert len(second) == len(first)
    assert not set(second) & set(first)
    # Who works that day already is given nothing more.
    busy = wishes(support.courier(place), said("want", 8, 14))
    shift(place, 1, 16, 2, busy)
    assert of(busy, proposed(place)) == [(16, 18)]


def test_a_wish_breaks_no_rule_of_work(place: support.Town) -> None:
    late = wishes(support.courier(place), said("want", 9, 13))
    shift(place, 0, 19, 4, late)
    # Eleven hours after 23:00.
    assert of(late, proposed(place)) == [(10, 13)]
    actions.publish(actor=planner(place), city_id=place.city_id, day=TOMORROW)


def test_drafts_of_other_days_count_for_the_week(place: support.Town) -> None:
    WorkRule.objects.create(city_id=place.city_id, most_a_week=300)
    ana = wishes(support.courier(place), said("want", 9, 21))
    shift(place, 2, 10, 4, ana, status="draft")
    assert of(ana, proposed(place)) == []


def test_who_cannot_is_not_given_a_shift_by_hand_either(place: support.Town) -> None:
    boss, ana = planner(place), support.courier(place, name="Ana Lima")
    one, draft = shift(place, 1, 18, 4), shift(place, 2, 18, 4, status="draft")
    wishes(ana, said("cannot", 21, 23, 1), said("cannot", 21, 23, 2), said("avoid", 8, 12, 1))
    for which in (one, draft):
        with pytest.raises(Refused, match="courier_cannot") as refused:
            actions.assign(actor=boss, shift_id=which, courier_id=ana.courier_id)  # type: ignore[arg-type]
        assert "Ana Lima" in refused.value.words and "18:00" in refused.value.words
    asked = reads.riders(boss, place.city_id, reads.shift(boss, one))
    assert asked == [(ana.courier_id, "Ana Lima", "cannot")]
    # What one would rather not can be given by hand.
    morning = shift(place, 1, 8, 4)
    actions.assign(actor=boss, shift_id=morning, courier_id=ana.courier_id)  # type: ignore[arg-type]
    assert reads.day(boss, place.city_id, TOMORROW).against == 1
    # One's own word is one's own to break.
    actions.take(actor=ana, shift_id=one)
    assert reads.mine(ana)[-1].said == "cannot"


def test_a_draft_is_not_published_over_a_cannot_said_since(place: support.Town) -> None:
    ana = wishes(support.courier(place), said("want", 18, 22))
    assert of(ana, proposed(place))
    wishes(ana, said("cannot", 0, 24))
    with pytest.raises(Refused, match="courier_cannot"):
        actions.publish(actor=planner(place), city_id=place.city_id, day=TOMORROW)
    assert of(ana, proposed(place)) == []
    assert actions.publish(actor=planner(place), city_id=place.city_id, day=TOMORROW) > 0


def test_it_is_said_plainly_when_fewer_can_come_than_are_needed(place: support.Town) -> None:
    riders = [support.courier(place) for _ in range(30)]
    found = reads.day(planner(place), place.city_id, TOMORROW)
    assert found.lacking == []
    for rider in riders[:28]:
        wishes(rider, said("cannot", 18, 19.5))
    proposed(place)
    found = reads.day(planner(place), place.city_id, TOMORROW)
    (lack,) = found.lacking
    assert [at.astimezone(ZONE).hour * 60 + at.minute for at in (lack.starts_at, lack.ends_at)] == [1080, 1170]
    assert (lack.able, lack.needed) == (2, max(one.needed for one in found.bins if one.able == 2))
    # The shifts are there all the same, for whoever comes.
    assert found.short <= 0.1 * sum(one.needed for one in found.bins) * 30


def test_a_published_day_is_only_added_to_and_today_by_what_it_has_brought(place: support.Town) -> None:
    for week in (1, 2, 3):
        for hour in range(9, 21):
            ordered(place, 7 * week, hour, 12)
    boss = planner(place)
    with clock.frozen(NOW - timedelta(hours=5)):
        actions.propose(actor=boss, city_id=place.city_id, day=TODAY)
        actions.publish(actor=boss, city_id=place.city_id, day=TODAY)
        before = set(RosterShift.objects.values_list("pk", flat=True))
        assert actions.propose(actor=boss, city_id=place.city_id, day=TODAY) == 0
    expected = reads.day(boss, place.city_id, TODAY).orders
    for hour in (9, 10, 11):
        ordered(place, 0, hour, 30)
    found = reads.day(boss, place.city_id, TODAY)
    assert found.orders > expected * 1.15
    assert actions.propose(actor=boss, city_id=place.city_id, day=TODAY) > 0
    added = RosterShift.objects.exclude(pk__in=before)
    assert {row.status for row in added} == {"draft"}
    assert min(row.starts_at for row in added) >= NOW + timedelta(hours=2)
    assert set(RosterShift.objects.filter(status="open").values_list("pk", flat=True)) == before


def test_the_last_word_of_a_time_counts_and_is_taken_back(place: support.Town) -> None:
    ana, rui = support.courier(place), support.courier(place)
    one = actions.wish(actor=ana, said=said("want", 18, 22))
    assert actions.wish(actor=ana, said=said("cannot", 18, 22)) == one
    assert [view.said.kind for view in reads.wishes(ana)] == ["cannot"]
    weekly = actions.wish(actor=ana, said=said("want", 18, 22, 1))
    assert [view.id for view in reads.wishes(ana)] == [weekly, one]
    with pytest.raises(Refused, match="not_found"):
        actions.unwish(actor=rui, wish_id=one)
    assert len(reads.wishes(ana)) == 2
    actions.unwish(actor=ana, wish_id=one)
    with pytest.raises(Refused, match="not_found"):
        actions.unwish(actor=ana, wish_id=one)
    assert [view.id for view in reads.wishes(ana)] == [weekly]
    assert reads.wishes(rui) == []


def test_what_is_over_or_too_much_is_refused(place: support.Town) -> None:
    ana = support.courier(place)
    with pytest.raises(Refused, match="day_past"):
        actions.wish(actor=ana, said=said("want", 18, 22, TODAY - timedelta(days=1)))
    for wrong in (said("want", 22, 18), said("want", 18, 22, date(9999, 1, 1)), Said("want", 1, 2)):
        with pytest.raises(Refused, match="invalid"):
            actions.wish(actor=ana, said=wrong)
    Wish.objects.create(
        id=ids.new_id(),
        courier_id=ana.courier_id,  # type: ignore[misc]
        kind="want",
        day=TODAY - timedelta(days=1),
        from_minute=0,
        to_minute=60,
    )
    for number in range(reads.MOST_WISHES):
        actions.wish(actor=ana, said=Said("want", number, 600, weekday=1))
    assert not Wish.objects.filter(day__lt=TODAY).exists()
    with pytest.raises(Refused, match="too_many_wishes"):
        actions.wish(actor=ana, said=said("want", 18, 22))
    # Another word of a time that was named already is no more of them.
    actions.wish(actor=ana, said=Said("cannot", 0, 600, weekday=1))
    for who in (NOBODY, planner(place)):
        with pytest.raises(Refused, match=r"not_signed_in|forbidden|not_a_courier"):
            actions.wish(actor=who, said=said("want", 18, 22))
    Courier.objects.filter(city_id=place.city_id).update(active=False)
    with pytest.raises(Refused, match="not_a_courier"):
        actions.wish(actor=ana, said=said("want", 18, 22))


def test_the_database_keeps_one_word_of_one_time(place: support.Town) -> None:
    rider = support.courier(place)
    row = {"courier_id": rider.courier_id, "weekday": 1, "from_minute": 0, "to_minute": 60}
    Wish.objects.create(kind="want", **row)
    for changed, constraint in (
        ({}, "wish_once"),
        ({"weekday": None}, "wish_when"),
        ({"weekday": 7}, "wish_when"),
        ({"day": TODAY}, "wish_when"),
        ({"to_minute": 1441}, "wish_times"),
        ({"to_minute": 0}, "wish_times"),
        ({"kind": "maybe", "to_minute": 90}, "wish_kind"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            Wish.objects.create(**{"kind": "cannot", **row, **changed})
