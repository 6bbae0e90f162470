"""The shifts of a past day: as worked, as published, as would have been proposed without looking ahead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from highstreet.delivery.dispatch.models import Delivery
from highstreet.kernel import clock
from highstreet.kernel.refusal import Refused

from .. import planning, reads
from ..models import Break, RosterShift, Shift
from ..reads.stints import later
from . import support
from .test_roster import ordered, shift

pytestmark = pytest.mark.django_db
YESTERDAY = date(2026, 11, 22)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.frozen(support.NOON):
        yield


def at(hour: float) -> datetime:
    """A local hour of yesterday."""
    return datetime(2026, 11, 22, 3, tzinfo=UTC) + timedelta(hours=hour)


def test_a_shift_worked_has_its_breaks_and_what_was_planned_of_it() -> None:
    place = support.town()
    ana, bo = support.courier(place), support.courier(place)
    assert ana.courier_id and bo.courier_id
    long = Shift.objects.create(courier_id=ana.courier_id, starts_at=at(9), ends_at=at(15))
    Break.objects.create(shift=long, starts_at=at(11), ends_at=at(11.5))
    Break.objects.create(shift=long, starts_at=at(14.5), ends_at=at(15.5))
    shift(place, -1, 10, 4, ana)
    Shift.objects.create(courier_id=bo.courier_id, starts_at=at(-3), ends_at=at(-1))
    Shift.objects.create(courier_id=bo.courier_id, starts_at=at(-1), ends_at=at(1))
    found = {one.courier_id: one for one in reads.worked(place.city_id, YESTERDAY)}
    assert len(found) == 2
    assert found[ana.courier_id].breaks == ((at(11), at(11.5)), (at(14.5), at(15)))
    assert found[ana.courier_id].pause == timedelta(hours=1)
    # Of 10 to 14 half an hour was a break; Bo had no plan at all, and the evening before is another day's.
    assert found[ana.courier_id].guaranteed == 210 and found[bo.courier_id].guaranteed == 0
    assert found[bo.courier_id].starts_at == at(-1)


def test_a_roster_is_what_was_published_whoever_came() -> None:
    place = support.town()
    ana = support.courier(place)
    shift(place, -1, 9, 4, ana)
    shift(place, -1, 17, 3)
    RosterShift.objects.filter(courier=None).update(break_starts_at=at(18), break_ends_at=at(18.5))
    shift(place, -1, 12, 2, status="draft")
    shift(place, -1, 12, 2, status="withdrawn")
    shift(place, 0, 9, 4, ana)
    found = reads.published(place.city_id, YESTERDAY)
    assert [(one.courier_id, one.guaranteed) for one in found] == [(ana.courier_id, 240), (None, 150)]
    assert found[1].breaks == ((at(18), at(18.5)),)
    assert reads.published(place.city_id, YESTERDAY - timedelta(days=1)) == []
    with pytest.raises(Refused, match="not_found"):
        reads.published(place.city_id, date(1, 1, 1))


def test_a_proposal_learns_from_the_days_before_and_nothing_else() -> None:
    """A spike on the day itself and after it moves nothing; the same spike the day before does."""
    place = support.town()
    assert reads.proposal(place.city_id, YESTERDAY) == [] and not reads.learnt(place.city_id, YESTERDAY)
    for days in (8, 9, 15):
        ordered(place, days, 12, 30)
    quiet = reads.proposal(place.city_id, YESTERDAY)
    assert quiet and all(one.courier_id is None and one.guaranteed > 0 for one in quiet)
    assert reads.learnt(place.city_id, YESTERDAY) and not reads.learnt(place.city_id, YESTERDAY - timedelta(days=30))
    ordered(place, 1, 0.01, 20)
    ordered(place, 1, 19, 300)
    ordered(place, 0, 2, 300)
    assert reads.proposal(place.city_id, YESTERDAY) == quiet
    # The control: what would look at today's past sees them, and a spike before the day counts.
    assert planning.seen(place.city_id).days.keys() > planning.seen(place.city_id, YESTERDAY).days.keys()
    Delivery.objects.filter(created_at__gte=at(19)).update(created_at=at(19) - timedelta(days=7))
    assert reads.proposal(place.city_id, YESTERDAY) != quiet


def test_the_same_time_by_the_clock_on_another_day() -> None:
    """Berlin's clocks went back in the night of 25 October 2026: nine in the morning is nine in the morning."""
    zone = ZoneInfo("Europe/Berlin")
    nine = datetime(2026, 10, 24, 9, 0, tzinfo=zone).astimezone(UTC)
    assert later(nine, 2, zone).astimezone(UTC) == datetime(2026, 10, 26, 8, 0, tzinfo=UTC)
    assert later(nine, -2, zone).astimezone(UTC) == datetime(2026, 10, 22, 7, 0, tzinfo=UTC)
