from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ..rules import (
    Breach,
    Duty,
    EarningTerms,
    Planned,
    WorkTerms,
    bonus,
    breaches,
    day_cost,
    first_name,
    guaranteed_minutes,
    shape,
    top_up,
)

ZONE = ZoneInfo("America/Sao_Paulo")
TERMS = WorkTerms()
MONDAY = datetime(2026, 11, 23, tzinfo=ZONE)


def at(day: int, hour: float) -> datetime:
    return (MONDAY + timedelta(days=day, hours=hour)).astimezone(UTC)


def work(day: int, start: float, hours: float, pause: int = 0) -> Planned:
    return Planned(at(day, start), at(day, start + hours), pause)


def kinds(*shifts: Planned) -> list[tuple[str, date, int]]:
    return [(one.kind, one.day, one.minutes) for one in breaches(shifts, TERMS, ZONE)]


@pytest.mark.parametrize(
    ("shift", "found"),
    [
        (work(0, 10, 4), []),
        (work(0, 10, 1.5), ["length"]),
        (work(0, 10, 9, 30), ["length"]),
        (work(0, 10, 6, 0), ["no_break"]),
        (work(0, 10, 6, 30), []),
        (work(0, 10, 5.5, 0), []),
    ],
)
def test_the_shape_of_a_shift(shift: Planned, found: list[str]) -> None:
    assert [one.kind for one in shape(shift, TERMS, ZONE)] == found


def test_a_day_has_ten_hours_by_the_citys_clock_breaks_not_counted() -> None:
    assert kinds(work(0, 8, 5), work(0, 14, 5)) == []
    assert kinds(work(0, 8, 5.5), work(0, 14, 5)) == [("day", date(2026, 11, 23), 630)]
    assert kinds(work(0, 8, 5.5, 30), work(0, 14, 5)) == []
    # 21:00 in Porto Alegre is the next day in UTC, and still this day here.
    assert kinds(work(0, 8, 8), work(0, 21, 2.5)) == [("day", date(2026, 11, 23), 630)]


def test_a_week_is_from_monday() -> None:
    five = [work(day, 9, 8) for day in range(5)]
    assert kinds(*five, work(5, 9, 4)) == []
    assert kinds(*five, work(5, 9, 4.5)) == [("week", date(2026, 11, 23), 2670)]
    assert kinds(*five, work(7, 9, 8)) == []


def test_rest_is_between_days_and_not_within_one() -> None:
    assert kinds(work(0, 10, 3), work(0, 18, 4)) == []
    assert kinds(work(0, 18, 4), work(1, 9, 3)) == []
    assert kinds(work(0, 18, 5), work(1, 9, 3)) == [("rest", date(2026, 11, 24), 600)]


def test_two_shifts_at_once() -> None:
    assert kinds(work(0, 10, 3), work(0, 12, 3)) == [("overlap", date(2026, 11, 23), 60)]
    assert kinds(work(0, 10, 3), work(0, 13, 3)) == []


def test_a_breach_can_be_told_from_what_was_broken_before() -> None:
    before = breaches([work(0, 8, 8), work(0, 17, 3)], TERMS, ZONE)
    after = breaches([work(0, 8, 8), work(0, 17, 3), work(2, 8, 3)], TERMS, ZONE)
    assert set(after) == set(before) == {Breach("day", date(2026, 11, 23), 660, 600)}


def test_only_planned_minutes_without_breaks_are_guaranteed() -> None:
    duty = (at(0, 9), at(0, 17))
    assert guaranteed_minutes(duty, [], []) == 0
    assert guaranteed_minutes(duty, [(at(0, 10), at(0, 12))], []) == 120
    assert guaranteed_minutes(duty, [(at(0, 8), at(0, 12)), (at(0, 15), at(0, 19))], []) == 180 + 120
    # A break half outside the planned shift costs only what lies inside.
    assert guaranteed_minutes(duty, [(at(0, 10), at(0, 12))], [(at(0, 11.5), at(0, 12.5))]) == 90
    assert guaranteed_minutes(duty, [(at(0, 18), at(0, 20))], [(at(0, 12), at(0, 13))]) == 0


@pytest.mark.parametrize(
    ("minutes", "earned", "paid"), [(120, 3000, 1000), (120, 4000, 0), (120, 9999, 0), (0, 0, 0), (1, 0, 33)]
)
def test_the_guarantee_tops_up_and_takes_nothing_back(minutes: int, earned: int, paid: int) -> None:
    assert top_up(EarningTerms(600, 100, guarantee_hour=2000), minutes, earned) == paid


def test_the_bonus_is_paid_once_and_from_the_nth_order_on() -> None:
    terms = EarningTerms(600, 100, bonus_orders=10, bonus=1500)
    assert [bonus(terms, orders, False) for orders in (9, 10, 11)] == [0, 1500, 1500]
    assert bonus(terms, 20, True) == 0
    assert bonus(EarningTerms(600, 100), 20, False) == 0


def test_what_a_day_costs() -> None:
    """Twenty an hour guaranteed, fifteen at the fourth order of a day; by hand."""
    terms = EarningTerms(per_order=500, per_km=0, guarantee_hour=2000, bonus_orders=4, bonus=1500)
    duties = [
        # Three hours guaranteed are 6000: 4500 are missing. Three orders are no bonus yet.
        Duty("ana", guaranteed=180, orders=3, earned=1500),
        # Earned more than the hour is worth; alone, two orders are no bonus.
        Duty("bo", guaranteed=15, orders=2, earned=1000),
        # Her fourth order: 1500, once, though four more come. 60 minutes are earned already.
        Duty("ana", guaranteed=60, orders=5, earned=2500),
        Duty("ana", guaranteed=0, orders=4, earned=2000),
    ]
    cost = day_cost(terms, duties)
    assert (cost.earned, cost.top_up, cost.bonus, cost.total) == (7000, 4500, 1500, 13000)
    assert day_cost(terms, []).total == 0


def test_what_a_shopper_is_told_of_a_courier() -> None:
    assert (first_name("张三"), first_name("Ana Lima"), first_name(" ")) == ("张师傅", "Ana", "")
