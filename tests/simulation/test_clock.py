"""K7: clocks that jump, days of 23 and 25 hours, leap days and the last second of a day."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from highstreet.kernel import clock
from highstreet.kernel.policy import NOBODY, THE_SYSTEM
from highstreet.kernel.refusal import Refused
from highstreet.supply.stores import rules as hours
from highstreet.trade.orders import actions
from highstreet.trade.orders.models import Order
from highstreet.trade.orders.tests.support import NOON, PHONE, Town, running_from
from tests.conftest import Add

SEED = 20261126
ZONES = (
    "Asia/Shanghai",
    "America/Sao_Paulo",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
)
# Clocks forward, clocks back, leap days, the ends of years; and one ordinary day.
DAYS = (
    date(2026, 3, 8), date(2026, 3, 29), date(2026, 4, 5), date(2026, 10, 4), date(2026, 10, 25), date(2026, 11, 1),
    date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1), date(2026, 12, 31), date(2027, 1, 1), date(2026, 6, 17),
)  # fmt: skip
SECONDS = (0, 1, 59, 3599, 7199, 7200, 7201, 10799, 10800, 43200, 86340, 86398, 86399)
Opening = Callable[[datetime, int, int, ZoneInfo], datetime]


def moments(count: int, seed: int) -> list[tuple[datetime, int, int, ZoneInfo]]:
    """(a moment in UTC, opens, closes in minutes of the local day, zone); at the edges of odd days."""
    dice, made = random.Random(seed), []
    for _ in range(count):
        zone, day = ZoneInfo(dice.choice(ZONES)), dice.choice(DAYS)
        opens = dice.choice([0, 1, 90, 120, 150, 420, 1380])
        closes = dice.choice([minute for minute in (121, 180, 1320, 1439, 1440) if minute > opens])
        local = datetime.combine(day, time(0), zone) + timedelta(seconds=dice.choice(SECONDS))
        made.append((local.astimezone(UTC), opens, closes, zone))
    return made


def wrong_openings(cases: list[tuple[datetime, int, int, ZoneInfo]], opening: Opening) -> list[str]:
    """Where the next opening is in the past, more than a day and a change of clocks off, or finds the shop shut."""
    wrong = []
    for at, opens, closes, zone in cases:
        found = opening(at, opens, closes, zone)
        waits = found - at
        fine = timedelta(0) <= waits <= timedelta(hours=25)
        if not fine and waits <= timedelta(hours=50):
            # A day whose opening hours all fall into the gap that the clocks jump over has none.
            minutes = range(int(waits.total_seconds() // 60))
            fine = not any(hours.is_open(at + timedelta(minutes=one), opens, closes, zone) for one in minutes)
        # A local time that the clocks jump over is the moment after the jump.
        shut = not hours.is_open(found, opens, closes, zone) and not hours.is_open(
            found + timedelta(hours=1), opens, closes, zone
        )
        if not fine or shut or (hours.is_open(at, opens, closes, zone) and waits):
            wrong.append(f"{at} {zone} {opens}-{closes}: {found}")
    return wrong


@pytest.mark.parametrize("count", [400, pytest.param(10_000, marks=pytest.mark.long)])
def test_opening_hours_on_odd_days(row: Add, count: int) -> None:
    wrong = wrong_openings(moments(count, SEED), hours.next_opening)
    row(
        "K7",
        f"opening hours at the edges of {len(DAYS)} odd days in {len(ZONES)} zones",
        n=count,
        accepted=count - len(wrong),
        refused=0,
        invariants="never in the past, never shut",
        seed=SEED,
    )
    assert wrong == []


def test_hours_reckoned_in_utc_are_found_out() -> None:
    """The negative control: a day is 24 hours and starts at midnight in Greenwich."""

    def naive(at: datetime, opens: int, closes: int, zone: ZoneInfo) -> datetime:
        start = at.replace(hour=0, minute=0, second=0) + timedelta(minutes=opens)
        return start if start >= at else start + timedelta(days=1)

    assert wrong_openings(moments(50, SEED), naive)


def jumped(town: Town, dice: random.Random) -> str:
    """Quote, jump, order, jump, and the sweep; the clock of the machine was set by up to an hour each time.

    Returns what became of it. Only the platform's own refusals may come of it, and holds that end.
    """

    def jump() -> timedelta:
        return timedelta(seconds=dice.choice([-3600, -61, -1, 0, 1, 599, 600, 601, 3600]))

    key = town.cart(dice.randint(1, 2))
    try:
        quote = town.quote(key, "pickup", store=town.stores[0])
        with running_from(clock.now() + jump()):
            placed = actions.checkout(actor=NOBODY, quote_id=quote.id, cart_key=key, phone=PHONE)
            order = Order.objects.get(pk=placed.order_id)
            assert order.expires_at > clock.now()
            with running_from(clock.now() + jump()):
                actions.expire_due(actor=THE_SYSTEM)
                order.refresh_from_db()
                overdue = order.expires_at <= clock.now()
                assert (order.status == "expired") == overdue, (order.expires_at, clock.now())
                if not overdue:
                    actions.cancel(actor=THE_SYSTEM, order_id=order.pk)
                    order.refresh_from_db()
    except Refused as refused:
        assert refused.reason.code in ("quote_expired", "closed", "no_capacity"), refused
        return refused.reason.code
    return order.status


@pytest.mark.parametrize("count", [25, pytest.param(500, marks=pytest.mark.long)])
def test_a_clock_that_jumps(town: Town, row: Add, count: int) -> None:
    dice, ends = random.Random(SEED), []
    for number in range(count):
        # At noon, at the last second before closing (22:00), at the last of the day and of a leap day.
        at = dice.choice([NOON, NOON.replace(hour=1) + timedelta(days=1, seconds=-1), NOON.replace(year=2028, day=1)])
        with running_from(at + timedelta(days=number)):
            ends.append(jumped(town, dice))
    free = town.level(0).free
    row(
        "K7",
        "the clock jumps by up to an hour between quote, order and expiry",
        n=count,
        accepted=sum(end in ("expired", "cancelled") for end in ends),
        refused=sum(end not in ("expired", "cancelled") for end in ends),
        invariants=f"all {free} units free again",
        seed=SEED,
        notes=str({end: ends.count(end) for end in sorted(set(ends))}),
    )
    assert free == 20
    assert {"expired", "cancelled", "quote_expired"} <= set(ends)
