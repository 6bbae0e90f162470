"""How many couriers there will be: by the roster, else as on the days before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from django.db.models import Q

from highstreet.supply.organisations import reads as organisations

from ..models import Break, RosterShift, Shift
from ..states import HELD, PUBLISHED
from .people import JUST_COME, count_on_shift
from .roster import LATE

DAYS = 7
# The first order of a shift is at its door so long after it began, at the soonest.
FIRST_DOOR = timedelta(minutes=15)
_HERE = ("courier_id", "orders_until", "can")
_TIMES = ("status", "starts_at", "ends_at", "break_starts_at", "break_ends_at")


def expected(city_id: UUID, moments: Sequence[datetime], at: datetime) -> list[int]:
    """Our own couriers at each of the `moments` to come.

    On a day whose roster is published: who has promised to work then. Else the mean of that time of day on the last
    seven days on which anybody worked then; in a city without a past, as many as now. Two or three statements.
    """
    if not moments:
        return []
    zone = organisations.city(city_id).zone
    rows = RosterShift.objects.filter(
        city_id=city_id, status__in=PUBLISHED, starts_at__lt=max(moments) + timedelta(days=1), ends_at__gt=at
    )
    roster = list(rows.values_list(*_TIMES))
    published = {starts.astimezone(zone).date() for _, starts, *_ in roster}
    held = [one for one in roster if one[0] in HELD]
    past = _past(city_id, moments, at)
    found = []
    for moment, usual in zip(moments, past, strict=True):
        if moment.astimezone(zone).date() in published:
            usual = sum(_works(moment, *shift) for shift in held)
        found.append(usual)
    return found


@dataclass(frozen=True)
class Hands:
    """Couriers of a moment: who is here now and still takes orders then, and who is planned to come."""

    stay: int
    come: int


def coming(city_id: UUID, moments: Sequence[datetime], at: datetime, away: Collection[UUID] = ()) -> list[Hands]:
    """Our own couriers at each of the `moments` of the next hours, for orders that are at the door then.

    Who can be sent now (not on a break, with a position or just come, not `away`) stays until they take no more orders.
    Who is planned counts a quarter of an hour after they begin; who should have begun ten minutes ago is not waited
    for. Two statements.
    """
    if not moments:
        return []
    resting = Break.objects.filter(ends_at=None).values("shift_id")
    can = (Q(courier__lat__isnull=False) | Q(starts_at__gt=at - JUST_COME)) & ~Q(pk__in=resting)
    here = Shift.objects.filter(ends_at=None, courier__city_id=city_id, courier__active=True).annotate(can=can)
    until = {one: (last, sent and one not in away) for one, last, sent in here.values_list(*_HERE)}
    rows = RosterShift.objects.filter(city_id=city_id, status__in=HELD, courier__active=True)
    rows = rows.filter(starts_at__gt=at - LATE, starts_at__lte=max(moments), ends_at__gt=at)
    planned = []
    for courier_id, status, starts, *rest in rows.values_list("courier_id", *_TIMES):
        last = until[courier_id][0] if courier_id in until else starts
        if last is not None and last <= starts:  # else it is the shift that they work now
            planned.append((status, starts + FIRST_DOOR, *rest))
    found = []
    for moment in (max(one, at) for one in moments):
        stay = sum(sent and (last is None or last > moment) for last, sent in until.values())
        found.append(Hands(stay, sum(_works(moment, *shift) for shift in planned)))
    return found


def _works(
    moment: datetime, _status: str, starts: datetime, ends: datetime, rests: datetime | None, resumes: datetime | None
) -> bool:
    return starts <= moment < ends and not (rests and resumes and rests <= moment < resumes)


def _past(city_id: UUID, moments: Sequence[datetime], at: datetime) -> list[int]:
    """At each time of day, the mean of the last days on which anybody worked then."""
    since = at - timedelta(days=DAYS + 1)
    rows = Shift.objects.filter(courier__city_id=city_id, starts_at__gte=since)
    times = list(rows.values_list("starts_at", "ends_at"))
    starts = np.sort([starts.timestamp() for starts, _ in times])
    ends = np.sort([(ended or at).timestamp() for _, ended in times])
    now = count_on_shift(city_id)
    found = []
    for moment in moments:
        back = np.array([(moment - timedelta(days=day)).timestamp() for day in range(1, DAYS + 2)])
        back = back[back <= at.timestamp()][:DAYS]
        there = np.searchsorted(starts, back, "right") - np.searchsorted(ends, back, "right")
        worked = there[there > 0]
        found.append(round(float(worked.mean())) if len(worked) else now)
    return found
