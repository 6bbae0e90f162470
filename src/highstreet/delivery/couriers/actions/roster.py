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

from .. import held, planning, rules, words
from ..events import RosterPublished, RosterShiftMoved
from ..models import Courier, RosterShift
from ..reads.people import names
from ..reads.roster import as_planned, midnight, planned, whose
from ..reads.terms import work_terms
from ..reads.wishes import of_city, of_couriers
from ..refusals import (
    COURIER_CANNOT,
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
    """Draft the shifts that the local day lacks, in place of the drafts there were. Returns how many.

    Who wishes for a time is given a shift of it, the others are open to all. What is published stands, and what the day
    lacks beside it begins late enough for somebody to come; today also by what it has brought so far. Refused with
    DAY_PAST for a day that is over.
    """
    city = _planned_city(actor, city_id)
    now, first = clock.now(), midnight(city, day)
    if day < now.astimezone(city.zone).date():
        raise Refused(DAY_PAST)
    rows = _of_day(city, day)
    rows.filter(status="draft").delete()
    standing = list(rows.filter(status__in=PUBLISHED))
    terms = work_terms(city.id)
    earliest = now + (timedelta(minutes=planning.NOTICE) if standing else timedelta())
    frame = planning.Frame(day, city.zone, terms, earliest)
    today = planning.so_far(city.id) if day == now.astimezone(city.zone).date() else None
    found = planning.wanted(day, planning.seen(city.id), terms, today)
    made = [
        RosterShift(
            id=ids.new_id(),
            city_id=city.id,
            courier_id=one.courier_id,
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            break_starts_at=one.break_starts_at,
            break_ends_at=one.break_ends_at,
        )
        for one in planning.proposed(found, frame, _riders(city, first), standing)
    ]
    return len(RosterShift.objects.bulk_create(made))


@action("couriers.plan")
def publish(*, actor: Actor, city_id: UUID, day: date) -> int:
    """Show the day's drafts to the couriers. Returns how many. Refused while they break a rule of work, or
    what a courier said they cannot."""
    city = _planned_city(actor, city_id)
    rows = list(_of_day(city, day).filter(status="draft").order_by("pk"))
    if not rows:
        raise Refused(NOTHING_TO_PUBLISH)
    if rows[0].starts_at <= clock.now():
        raise Refused(DAY_PAST)
    _lock({row.courier_id for row in rows if row.courier_id})
    _check(city, rows)
    _can(city, rows)
    for row in rows:
        move(MACHINE, row, "give" if row.courier_id else "open", actor=actor.name)
    outbox.emit(RosterPublished(city.id, day.isoformat(), len(rows)), topics=[f"city:{city.id}"])
    return len(rows)


@action("couriers.plan")
def assign(*, actor: Actor, shift_id: UUID, courier_id: UUID) -> None:
    """Give a draft or an open shift to a courier of the city; twice is once.

    Refused with COURIER_CANNOT where the courier said so. A published shift is given only within the rules of work; a
    draft may break them until it is published.
    """
    row, city = _of_planner(actor, shift_id)
    if row.courier_id == courier_id and row.status in (*HELD, "draft"):
        return
    _future(row)
    if courier_id not in _lock({courier_id}, city.id):
        raise Refused(NOT_A_COURIER)
    _can(city, [row], courier_id)
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
    courier = held.courier(actor)
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
    courier = held.courier(actor)
    rows = RosterShift.objects.select_for_update(no_key=True)
    row = rows.filter(pk=shift_id, courier_id=courier.pk, status__in=HELD).first()
    if row is None:
        raise Refused(NOT_FOUND)
    return row


def _riders(city: CityView, first: datetime) -> list[planning.Rider]:
    """Who works in the city, what they say, and what they work around the day, what is only drafted included."""
    rows = RosterShift.objects.filter(
        courier__city_id=city.id, starts_at__gte=first - AROUND, starts_at__lt=first + AROUND
    )
    works: dict[UUID, list[rules.Planned]] = defaultdict(list)
    for row in rows.filter(status__in=(*HELD, "draft"), courier__isnull=False).order_by("starts_at", "pk"):
        if row.courier_id is not None:
            works[row.courier_id].append(as_planned(row))
    return [planning.Rider(one, said, works[one]) for one, said in of_city(city.id).items()]


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


def _can(city: CityView, rows: list[RosterShift], courier_id: UUID | None = None) -> None:
    """Refuse what somebody said they cannot work: each row for its own courier, or for this one."""
    whose = {row.pk: courier_id or row.courier_id for row in rows}
    said = of_couriers({one for one in whose.values() if one is not None})
    for row in rows:
        who = whose[row.pk]
        if who and rules.answer(said.get(who, []), (row.starts_at, row.ends_at), city.zone) == "cannot":
            raise Refused(COURIER_CANNOT, name=names([city.id]).get(who, "—"), **_local(row, city))


def _local(row: RosterShift, city: CityView) -> dict[str, str]:
    begins, ends = row.starts_at.astimezone(city.zone), row.ends_at.astimezone(city.zone)
    return {"day": f"{begins:%m-%d}", "begins": f"{begins:%H:%M}", "ends": f"{ends:%H:%M}"}


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
