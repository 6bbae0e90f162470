"""How many couriers there will be: by the roster, else as on the days before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from django.db.models import Q

from highstreet.supply.organisations import reads as organisations

from .. import ports
from ..models import Break, RosterShift, Shift
from ..states import HELD, PUBLISHED
from .people import count_on_shift
from .roster import LATE

DAYS = 7


def expected(city_id: UUID, moments: Sequence[datetime], at: datetime) -> list[int]:
    """Couriers at each of the `moments` to come, hired ones among them.

    On a day whose roster is published: who has promised to work then. Else the mean of that time of day on the last
    seven days on which anybody worked then; in a city without a past, as many as now. Two or three statements.
    """
    if not moments:
        return []
    zone = organisations.city(city_id).zone
    rows = RosterShift.objects.filter(
        city_id=city_id, status__in=PUBLISHED, starts_at__lt=max(moments) + timedelta(days=1), ends_at__gt=at
    )
    roster = list(rows.values_list("status", "starts_at", "ends_at", "break_starts_at", "break_ends_at"))
    published = {starts.astimezone(zone).date() for _, starts, *_ in roster}
    held = [one for one in roster if one[0] in HELD]
    past = _past(city_id, moments, at)
    hired = ports.hired()(city_id) if ports.hired.filled else 0
    found = []
    for moment, usual in zip(moments, past, strict=True):
        if moment.astimezone(zone).date() in published:
            usual = sum(_works(moment, *shift) for shift in held)
        found.append(usual + hired)
    return found


def coming(city_id: UUID, moments: Sequence[datetime], at: datetime) -> list[int]:
    """Couriers at each of the `moments` of the next hours, hired ones among them: who can be sent now, until they take
    no more orders, and who is planned to come. Who should have been there ten minutes ago is not waited for.

    Two statements.
    """
    here = Shift.objects.filter(ends_at=None, courier__city_id=city_id, courier__active=True)
    resting = Break.objects.filter(ends_at=None).values("shift_id")
    open_shifts = here.annotate(can=Q(courier__lat__isnull=False) & ~Q(pk__in=resting))
    shifts = list(open_shifts.values_list("courier_id", "orders_until", "can"))
    rows = RosterShift.objects.filter(city_id=city_id, status__in=HELD, starts_at__gt=at - LATE, ends_at__gt=at)
    rows = rows.filter(starts_at__lte=max(moments, default=at)).exclude(courier_id__in=[one for one, *_ in shifts])
    planned = list(rows.values_list("status", "starts_at", "ends_at", "break_starts_at", "break_ends_at"))
    hired = ports.hired()(city_id) if ports.hired.filled else 0
    found = []
    for moment in (max(one, at) for one in moments):
        stay = sum(can and (until is None or until > moment) for _, until, can in shifts)
        found.append(stay + sum(_works(moment, *shift) for shift in planned) + hired)
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
