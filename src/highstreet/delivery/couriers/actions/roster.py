"""The roster: planners propose, publish, give and take back; couriers take, offer and keep.

Planners of one city go one after another; whoever changes what a courier works holds that courier's row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from highstreet.kernel import clock, ids, outbox
from highstreet.kernel.policy import Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND, WRONG_STATE
from highstreet.kernel.states import move
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.reads import CityView

from .. import planning, rules, words
from ..events import RosterPublished, RosterShiftMoved
from ..models import Courier, RosterShift
from ..reads.people import names
from ..reads.roster import as_planned, midnight, planned, whose
from ..reads.terms import work_terms
from ..refusals import (
    ALREADY_PUBLISHED,
    DAY_PAST,
    NOT_A_COURIER,
    NOTHING_TO_PUBLISH,
    ROSTER_BREAKS_RULES,
    SHIFT_BEGUN,
    SHIFT_GONE,
    TOO_MUCH_WORK,
)
from ..states import HELD, MACHINE, PUBLISHED

# A week and the rest before and after it: what a shift may break rules together with.
AROUND = timedelta(days=9)
NEVER = "withdrawn"


@action("couriers.plan")
def propose(*, actor: Actor, city_id: UUID, day: date) -> int:
    """Draft the shifts that cover the local day, open to all, in place of the drafts there were. Returns how many.

    Refused with ALREADY_PUBLISHED, and with DAY_PAST for a day that is over.
    """
    city = _planned_city(actor, city_id)
    now, first = clock.now(), midnight(city, day)
    if day < now.astimezone(city.zone).date():
        raise Refused(DAY_PAST)
    rows = _of_day(city, day)
    if rows.filter(status__in=PUBLISHED).exists():
        raise Refused(ALREADY_PUBLISHED)
    rows.filter(status="draft").delete()
    terms = work_terms(city.id)
    found = planning.proposal(planning.wanted(day, planning.seen(city.id), terms), terms)
    made = [
        RosterShift(
            id=ids.new_id(),
            city_id=city.id,
            starts_at=_at(first, one.start),
            ends_at=_at(first, one.end),
            break_starts_at=_at(first, one.break_start) if one.break_end else None,
            break_ends_at=_at(first, one.break_end) if one.break_end else None,
        )
        for one in found.shifts
        if _at(first, one.start) > now
    ]
    return len(RosterShift.objects.bulk_create(made))


@action("couriers.plan")
def publish(*, actor: Actor, city_id: UUID, day: date) -> int:
    """Show the day's drafts to the couriers. Returns how many. Refused while they break a rule of work."""
    city = _planned_city(actor, city_id)
    rows = list(_of_day(city, day).filter(status="draft").order_by("pk"))
    if not rows:
        raise Refused(NOTHING_TO_PUBLISH)
    if rows[0].starts_at <= clock.now():
        raise Refused(DAY_PAST)
    _lock({row.courier_id for row in rows if row.courier_id})
    _check(city, rows)
    for row in rows:
        move(MACHINE, row, "give" if row.courier_id else "open", actor=actor.name)
    outbox.emit(RosterPublished(city.id, day.isoformat(), len(rows)), topics=[f"city:{city.id}"])
    return len(rows)


@action("couriers.plan")
def assign(*, actor: Actor, shift_id: UUID, courier_id: UUID) -> None:
    """Give a draft or an open shift to a courier of the city; twice is once.

    A published shift is given only within the rules of work; a draft may break them until it is published.
    """
    row, city = _of_planner(actor, shift_id)
    if row.courier_id == courier_id and row.status in (*HELD, "draft"):
        return
    _future(row)
    if courier_id not in _lock({courier_id}, city.id):
        raise Refused(NOT_A_COURIER)
    if row.status == "draft":
        RosterShift.objects.filter(pk=row.pk, status="draft").update(courier_id=courier_id)
        return
    _allowed(city, courier_id, row)
    move(MACHINE, row, "take", actor=actor.name, courier_id=courier_id)
    _tell(row, None)


@action("couriers.plan")
def release(*, actor: Actor, shift_id: UUID) -> None:
    """Take a shift from its courier: it is open again. Twice is once."""
    row, _ = _of_planner(actor, shift_id)
    _future(row)
    before = row.courier_id
    if row.status == "draft":
        RosterShift.objects.filter(pk=row.pk, status="draft").update(courier_id=None)
    elif row.status != "open":
        move(MACHINE, row, "release", actor=actor.name, courier_id=None)
        _tell(row, before)


@action("couriers.plan")
def withdraw(*, actor: Actor, shift_id: UUID) -> None:
    """Take a draft or an open shift out of the roster; an offer goes back to its courier, who keeps the shift."""
    row, _ = _of_planner(actor, shift_id)
    _future(row)
    if row.status == "draft":
        row.delete()
        return
    move(MACHINE, row, "keep" if row.status == "offered" else "withdraw", actor=actor.name)
    _tell(row, row.courier_id)


@action("courier.work")
def take(*, actor: Actor, shift_id: UUID) -> None:
    """Take an open shift, or one that another courier offers. Of many who try, one has it: SHIFT_GONE for the others.

    Refused with TOO_MUCH_WORK where it would break a rule of work, SHIFT_BEGUN when it is too late. Twice is once.
    """
    courier = _me(actor)
    row = RosterShift.objects.filter(pk=shift_id, city_id=courier.city_id, status__in=PUBLISHED).first()
    if row is None:
        raise Refused(NOT_FOUND)
    if row.courier_id == courier.pk:
        if row.status == "offered":
            _moved(actor, row, "keep")
        return
    _future(row)
    before = row.courier_id
    _allowed(organisations.city(row.city_id), courier.pk, row)
    _moved(actor, row, "take", courier_id=courier.pk)
    _tell(row, before)


@action("courier.work")
def offer(*, actor: Actor, shift_id: UUID) -> None:
    """Let others take one's shift; it stays one's own until somebody does. Twice is once."""
    row = _own(actor, shift_id)
    _future(row)
    if row.status == "taken":
        _moved(actor, row, "offer")
        _tell(row, row.courier_id)


@action("courier.work")
def keep(*, actor: Actor, shift_id: UUID) -> None:
    """Not offer it any more. NOT_FOUND once somebody else has it; twice is once."""
    row = _own(actor, shift_id)
    if row.status == "offered":
        _moved(actor, row, "keep")
        _tell(row, row.courier_id)


def _planned_city(actor: Actor, city_id: UUID) -> CityView:
    """The planner's city, which until the transaction ends no other planner changes."""
    city = whose(actor, city_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"roster:{city.id}"])
    return city


def _of_planner(actor: Actor, shift_id: UUID) -> tuple[RosterShift, CityView]:
    found = RosterShift.objects.filter(pk=shift_id).values_list("city_id", flat=True).first()
    if found is None:
        raise Refused(NOT_FOUND)
    city = _planned_city(actor, found)
    row = RosterShift.objects.select_for_update(no_key=True).filter(pk=shift_id).exclude(status=NEVER).first()
    if row is None:
        raise Refused(NOT_FOUND)
    return row, city


def _own(actor: Actor, shift_id: UUID) -> RosterShift:
    courier = _me(actor)
    rows = RosterShift.objects.select_for_update(no_key=True)
    row = rows.filter(pk=shift_id, courier_id=courier.pk, status__in=HELD).first()
    if row is None:
        raise Refused(NOT_FOUND)
    return row


def _me(actor: Actor) -> Courier:
    row = None
    if actor.courier_id is not None:
        rows = Courier.objects.select_for_update(no_key=True)
        row = rows.filter(pk=actor.courier_id, active=True).first()
    if row is None:
        raise Refused(NOT_A_COURIER)
    return row


def _of_day(city: CityView, day: date) -> QuerySet[RosterShift]:
    first, last = midnight(city, day), midnight(city, day + timedelta(days=1))
    return RosterShift.objects.filter(city_id=city.id, starts_at__gte=first, starts_at__lt=last)


def _lock(courier_ids: Iterable[UUID], city_id: UUID | None = None) -> set[UUID]:
    """Hold these couriers' rows, in id order. Returns those who work (in the city)."""
    rows = Courier.objects.select_for_update(no_key=True).filter(pk__in=list(courier_ids), active=True)
    if city_id is not None:
        rows = rows.filter(city_id=city_id)
    return {row.pk for row in rows.order_by("pk").only("pk")}


def _allowed(city: CityView, courier_id: UUID, row: RosterShift) -> None:
    """Refuse what the shift would break that is not broken without it."""
    terms = work_terms(city.id)
    held = planned(courier_id, row.starts_at - AROUND, row.ends_at + AROUND)
    before = set(rules.breaches(held, terms, city.zone))
    new = [one for one in rules.breaches([*held, as_planned(row)], terms, city.zone) if one not in before]
    if new:
        raise Refused(TOO_MUCH_WORK, broken=words.of_all(new), rule=new[0].kind)


def _check(city: CityView, rows: list[RosterShift]) -> None:
    """Refuse drafts that break a rule of work, each by itself or all of a courier's together."""
    terms = work_terms(city.id)
    people = names([city.id])
    of_courier: dict[UUID, list[RosterShift]] = defaultdict(list)
    for row in rows:
        if row.courier_id is not None:
            of_courier[row.courier_id].append(row)
        wrong = rules.shape(as_planned(row), terms, city.zone)
        if wrong:
            _refuse(people.get(row.courier_id or row.pk, ""), wrong)
    for courier_id, own in of_courier.items():
        held = planned(courier_id, own[0].starts_at - AROUND, own[0].ends_at + AROUND)
        wrong = rules.breaches([*held, *map(as_planned, own)], terms, city.zone)
        if wrong:
            _refuse(people.get(courier_id, ""), wrong)


def _refuse(name: str, wrong: list[rules.Breach]) -> None:
    raise Refused(ROSTER_BREAKS_RULES, name=name or "—", broken=words.of_all(wrong), rule=wrong[0].kind)


def _future(row: RosterShift) -> None:
    if row.starts_at <= clock.now():
        raise Refused(SHIFT_BEGUN)


def _moved(actor: Actor, row: RosterShift, event: str, **columns: Any) -> None:
    """The one conditional UPDATE; whoever comes second is told so."""
    try:
        move(MACHINE, row, event, actor=actor.name, **columns)
    except Refused as refused:
        if refused.reason is WRONG_STATE:
            raise Refused(SHIFT_GONE) from None
        raise


def _tell(row: RosterShift, before: UUID | None) -> None:
    told = {one for one in (row.courier_id, before) if one is not None}
    outbox.emit(
        RosterShiftMoved(row.pk, row.city_id, row.courier_id, before, row.status, clock.now().isoformat()),
        topics=[f"city:{row.city_id}", *(f"courier:{one}" for one in sorted(told, key=str))],
    )


def _at(first: datetime, minute: int) -> datetime:
    """A minute of the local day; on the two days that clocks are changed, by the clock."""
    naive = first.replace(tzinfo=None) + timedelta(minutes=minute)
    return naive.replace(tzinfo=first.tzinfo)
