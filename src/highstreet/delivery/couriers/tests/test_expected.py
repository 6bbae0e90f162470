"""How many couriers a later hour may count on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from highstreet.kernel import clock

from .. import reads
from ..models import RosterShift, Shift
from . import support

pytestmark = pytest.mark.django_db
NOW = support.NOON
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.frozen(NOW):
        yield


def expected(place: support.Town, *moments: datetime) -> list[int]:
    return reads.expected(place.city_id, moments, NOW)


def planned(
    place: support.Town, start: datetime, hours: float, status: str = "taken", rests: float | None = None
) -> None:
    """A planned shift; a taken one is somebody's."""
    who = support.courier(place) if status == "taken" else None
    pause = start + rests * HOUR if rests is not None else None
    RosterShift.objects.create(
        city_id=place.city_id,
        courier_id=who.courier_id if who else None,
        status=status,
        starts_at=start,
        ends_at=start + hours * HOUR,
        break_starts_at=pause,
        break_ends_at=pause + HOUR / 2 if pause else None,
    )


def worked(place: support.Town, days_ago: int, hours: float, count: int) -> None:
    """So many couriers on duty from noon on, on a past day."""
    start = NOW - timedelta(days=days_ago)
    for _ in range(count):
        courier = support.courier(place)
        assert courier.courier_id is not None
        Shift.objects.create(courier_id=courier.courier_id, starts_at=start, ends_at=start + hours * HOUR)


def test_without_a_past_as_many_as_now() -> None:
    place = support.town()
    assert expected(place, NOW + 5 * HOUR) == [0]
    support.courier(place, 0)
    assert expected(place, NOW + 5 * HOUR, NOW + 20 * HOUR) == [1, 1]
    assert expected(place) == []


def test_the_mean_of_the_days_on_which_anybody_worked_then() -> None:
    place = support.town()
    worked(place, 1, 3, 2)
    worked(place, 3, 3, 5)
    worked(place, 20, 3, 9)
    assert expected(place, NOW + timedelta(days=1, hours=2)) == [round(3.5)]
    # Nobody was there in the evening: as many as now, who are none.
    assert expected(place, NOW + timedelta(days=1, hours=6)) == [0]


def test_a_published_roster_has_the_last_word_on_its_day() -> None:
    place = support.town()
    worked(place, 1, 8, 4)
    tomorrow = NOW + timedelta(days=1)
    planned(place, tomorrow, 4, rests=2)
    planned(place, tomorrow + HOUR, 4)
    planned(place, tomorrow, 4, status="open")
    moments = [tomorrow + hours * HOUR for hours in (0, 1, 2, 3, 4.5, 6)]
    assert expected(place, *moments) == [1, 2, 1, 2, 1, 0]
    # The day after has none yet: as on the days before.
    assert expected(place, tomorrow + 25 * HOUR) == [4]


def test_a_draft_counts_for_nobody() -> None:
    place = support.town()
    planned(place, NOW + timedelta(days=1), 4, status="draft")
    worked(place, 2, 8, 3)
    assert expected(place, NOW + timedelta(days=1, hours=1)) == [3]
