"""The shifts of a past day, in one shape: as they were worked, as published, or as would have been proposed.

For replays and their like; callers have checked that they may look.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import cast
from uuid import UUID

from highstreet.delivery.routing.engine import Mode
from highstreet.kernel import clock
from highstreet.supply.organisations import reads as organisations

from .. import planning, rules
from ..models import Break, Courier, RosterShift, Shift
from ..rules import Period
from ..states import HELD, PUBLISHED
from .roster import midnight
from .terms import work_terms


@dataclass(frozen=True)
class Stint:
    """A shift [starts_at, ends_at) with its unpaid `breaks`, which do not overlap and lie inside it.

    `courier_id` is None where nobody is named; `guaranteed`: minutes for which the guarantee is paid.
    """

    id: str
    courier_id: UUID | None
    starts_at: datetime
    ends_at: datetime
    breaks: tuple[Period, ...] = ()
    guaranteed: int = 0

    @property
    def pause(self) -> timedelta:
        return sum((until - since for since, until in self.breaks), timedelta())

    def moved(self, days: int, zone: tzinfo) -> Stint:
        """The same shift by the local clock so many days later."""
        return replace(
            self,
            starts_at=later(self.starts_at, days, zone),
            ends_at=later(self.ends_at, days, zone),
            breaks=tuple((later(a, days, zone), later(b, days, zone)) for a, b in self.breaks),
        )


def later(at: datetime, days: int, zone: tzinfo) -> datetime:
    """The same time by the local clock so many days later."""
    return (at.astimezone(zone).replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=zone)


def worked(city_id: UUID, day: date) -> list[Stint]:
    """The shifts that touch the city's local day, by beginning; what still runs ends now. Guaranteed is what was
    planned of them, as when a shift is paid. Three statements."""
    city = organisations.city(city_id)
    start, end = midnight(city, day), midnight(city, day + timedelta(days=1))
    rows = Shift.objects.filter(courier__city_id=city_id, starts_at__lt=end).exclude(ends_at__lte=start)
    shifts = list(rows.order_by("starts_at", "pk"))
    pauses: dict[UUID, list[Period]] = defaultdict(list)
    for shift_id, since, until in (
        Break.objects.filter(shift__in=shifts).order_by("starts_at").values_list("shift_id", "starts_at", "ends_at")
    ):
        pauses[shift_id].append((since, until or clock.now()))
    planned: dict[UUID, list[Period]] = defaultdict(list)
    held = RosterShift.objects.filter(courier__in={one.courier_id for one in shifts}, status__in=HELD)
    held = held.filter(starts_at__lt=end + timedelta(days=1), ends_at__gt=start - timedelta(days=1))
    for courier_id, since, until in held.order_by("starts_at").values_list("courier_id", "starts_at", "ends_at"):
        if courier_id is not None:
            planned[courier_id].append((since, until))
    made = []
    for one in shifts:
        duty = one.starts_at, one.ends_at or clock.now()
        breaks = tuple((max(since, duty[0]), min(until, duty[1])) for since, until in pauses[one.pk])
        guaranteed = rules.guaranteed_minutes(duty, planned[one.courier_id], breaks)
        made.append(Stint(str(one.pk), one.courier_id, *duty, breaks, guaranteed))
    return made


def published(city_id: UUID, day: date) -> list[Stint]:
    """The local day's roster as it was published, whoever came; what nobody had taken is in it, too. All of it is
    guaranteed."""
    city = organisations.city(city_id)
    rows = RosterShift.objects.filter(city_id=city_id, status__in=PUBLISHED)
    rows = rows.filter(starts_at__gte=midnight(city, day), starts_at__lt=midnight(city, day + timedelta(days=1)))
    return [
        _planned(str(one.pk), one.courier_id, one.starts_at, one.ends_at, (one.break_starts_at, one.break_ends_at))
        for one in rows.order_by("starts_at", "pk")
    ]


def learnt(city_id: UUID, day: date) -> bool:
    """Whether anything was delivered in the weeks before the local day, so that a roster can be proposed for it."""
    midnight(organisations.city(city_id), day)
    return bool(planning.seen(city_id, day).days)


def proposal(city_id: UUID, day: date) -> list[Stint]:
    """The roster that would have been proposed for the local day from what was delivered before it, as if no day of it
    was published: nobody is named, all of it is guaranteed. [] where nothing was delivered before.

    The rules of work are today's: which held then is not kept.
    """
    city = organisations.city(city_id)
    first, past, terms = midnight(city, day), planning.seen(city_id, day), work_terms(city_id)
    if not past.days:
        return []
    frame = planning.Frame(day, city.zone, terms, first)
    made = planning.proposed(planning.wanted(day, past, terms), frame, [], [])
    return [
        _planned(f"proposed {number}", None, one.starts_at, one.ends_at, (one.break_starts_at, one.break_ends_at))
        for number, one in enumerate(made)
    ]


def vehicles(city_id: UUID) -> dict[UUID, Mode]:
    """What each of the city's couriers rides."""
    rows = Courier.objects.filter(city_id=city_id).values_list("pk", "vehicle")
    return {courier_id: cast(Mode, vehicle) for courier_id, vehicle in rows}


def _planned(
    name: str, courier_id: UUID | None, starts: datetime, ends: datetime, pause: tuple[datetime | None, datetime | None]
) -> Stint:
    since, until = pause
    made = Stint(name, courier_id, starts, ends, ((since, until),) if since and until else ())
    return replace(made, guaranteed=int((ends - starts - made.pause) / rules.MINUTE))
