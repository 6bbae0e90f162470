"""Our turn to speak: have it brought, call it off, ask after silence. No transaction is open while the fleet thinks."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog
from cryptography.fernet import InvalidToken
from django.db import transaction
from django.db.models import F, Q

from highstreet.delivery.dispatch import actions as dispatch
from highstreet.delivery.dispatch import reads as deliveries
from highstreet.kernel import clock, failpoints
from highstreet.kernel.policy import SYSTEM, THE_SYSTEM, Actor, outside
from highstreet.kernel.states import move
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores
from highstreet.trade.orders import reads as orders

from .. import rules
from ..hearing import hear
from ..models import FleetOrder
from ..providers import Asked, FleetProvider, FleetRefused, FleetUnavailable, Known, Place, Told
from ..states import LIVE, MACHINE
from ..steps import CLAIM_SECONDS, call_soon, charge, drop, locked, lost, provider_of, raise_alert, stopped

log = structlog.get_logger(__name__)
MASK_62 = (1 << 62) - 1


@outside(SYSTEM)
def call(*, actor: Actor, order_id: UUID) -> str:
    """Say to the fleet what is due about one order, unless somebody else is at it. Returns what was done.

    Every call may be repeated: a number is one order there, however often it is asked for.
    """
    row = _claim(order_id)
    if row is None:
        return "not due"
    if row.status == "dropped":
        return _write_off(actor, order_id)
    try:
        speaker = provider_of(row.fleet)
    except InvalidToken:
        return _unanswered(actor, row, "secrets")
    try:
        if row.status == "asked":
            return _create(actor, row, speaker)
        if row.status == "stopping":
            return _stop(actor, row, speaker)
        return _query(actor, row, speaker)
    except FleetUnavailable as error:
        log.info("fleets.unavailable", fleet=str(row.fleet_id), why=str(error)[:60], doing=row.status)
        return _unanswered(actor, row, "unreachable")


def _claim(order_id: UUID) -> FleetOrder | None:
    now = clock.now()
    until = now + timedelta(seconds=CLAIM_SECONDS * clock.speed())
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    due = FleetOrder.objects.filter(free, pk=order_id, status__in=LIVE, next_at__lte=now)
    if due.update(claimed_until=until, tries=F("tries") + 1) != 1:
        return None
    return FleetOrder.objects.select_related("fleet", "store").get(pk=order_id)


def _create(actor: Actor, row: FleetOrder, speaker: FleetProvider) -> str:
    asked = _asked(row)
    try:
        quote = speaker.quote(asked)
        number = speaker.create(asked, quote)
    except FleetRefused as refused:
        return _refused(actor, row.pk, refused.code)
    failpoints.reach("fleets.call", "created")
    now = clock.now()
    with transaction.atomic():
        row = locked(row.pk)
        if row.status == "asked":
            due = now + rules.SILENT
            move(MACHINE, row, "place", actor=actor.name, heard_at=now, next_at=due)
        elif row.status == "stopping":
            # The order ended meanwhile.
            call_soon(row)
        # Its callback may have been faster, and have placed it.
        FleetOrder.objects.filter(pk=row.pk).update(provider_id=number, fee=quote.fee, tries=0, claimed_until=None)
        if row.status == "done" and row.told in rules.FINAL:
            charge(actor, row, quote.fee or 0)
    return "created"


def _refused(actor: Actor, order_id: UUID, code: str) -> str:
    with transaction.atomic():
        row = _mine(order_id)
        if row.status == "asked":
            lost(actor, row, f"refused {code}")
        elif row.status == "stopping":
            stopped(actor, row, f"refused {code}")
    return "refused"


def _stop(actor: Actor, row: FleetOrder, speaker: FleetProvider) -> str:
    """Called off, unless it is too late; then the fleet says how far it is."""
    known, told, why, costs = _known(row), None, "called off", 0
    try:
        if not row.provider_id:
            told = speaker.query(known, clock.now())
            known = Known(known.number, known.serial, known.shop_no, told.provider_id if told else "")
        if row.provider_id or told:
            costs = speaker.cancel(known, "cancelled")
            told = None
    except FleetRefused as refused:
        why, told = f"refused {refused.code}", _asked_again(speaker, known)
    failpoints.reach("fleets.call", "stopped")
    with transaction.atomic():
        row = _mine(row.pk)
        if told is not None and row.status == "stopping":
            hear(actor, row, told)
            row = locked(row.pk)
        if row.status == "stopping":
            if told is not None:
                raise_alert(row, "not_called_off", refusal=why)
            stopped(actor, row, why)
        charge(actor, row, costs)
    return why


def _query(actor: Actor, row: FleetOrder, speaker: FleetProvider) -> str:
    try:
        told = speaker.query(_known(row), clock.now())
    except FleetRefused as refused:
        raise FleetUnavailable(refused.code) from None
    with transaction.atomic():
        row = _mine(row.pk)
        if row.status != "placed":
            return "moved on"
        if told is None:
            lost(actor, row, "unknown there")
            return "unknown there"
        outcome = hear(actor, row, told)
        row = locked(row.pk)
        if row.status == "placed":
            _give_up_or_wait(actor, row)
    return outcome


def _give_up_or_wait(actor: Actor, row: FleetOrder) -> None:
    now = clock.now()
    reason = rules.given_up(row.told, now, since=row.since, heard_at=row.heard_at, promised_to=row.promised_to)
    if not reason:
        FleetOrder.objects.filter(pk=row.pk).update(next_at=now + rules.SILENT)
    elif row.told in rules.CARRIED:
        drop(actor, row, reason)
    else:
        raise_alert(row, "given_up", reason=reason)
        move(MACHINE, row, "stop", actor=actor.name, note=reason, reason=reason)
        call_soon(row)


def _unanswered(actor: Actor, row: FleetOrder, why: str) -> str:
    """Nobody knows what came of the call: it is made again, a little later each time, and not for ever."""
    now, doing, tries = clock.now(), row.status, row.tries
    with transaction.atomic():
        row = _mine(row.pk)
        if row.status != doing:
            return why
        if doing == "asked" and tries > len(rules.CREATE_WAITS):
            raise_alert(row, "given_up", reason=why)
            move(MACHINE, row, "stop", actor=actor.name, note=why, reason=why)
            call_soon(row)
        elif doing == "stopping" and tries > len(rules.STOP_WAITS):
            raise_alert(row, "not_called_off", refusal=why)
            stopped(actor, row, why)
        elif doing == "placed":
            _give_up_or_wait(actor, row)
        else:
            waits = rules.CREATE_WAITS if doing == "asked" else rules.STOP_WAITS
            FleetOrder.objects.filter(pk=row.pk).update(next_at=now + rules.wait(waits, tries))
    return why


def _write_off(actor: Actor, order_id: UUID) -> str:
    """Nobody has found the bag in time."""
    with transaction.atomic():
        row = _mine(order_id)
        if row.status == "dropped":
            move(MACHINE, row, "finish", actor=actor.name, note="lost", next_at=None)
            if dispatch.write_off(actor=THE_SYSTEM, delivery_id=row.delivery_id, found=False):
                raise_alert(row, "written_off", reason=row.reason)
    return "written off"


def _mine(order_id: UUID) -> FleetOrder:
    """The order, locked, and its claim given back."""
    row = locked(order_id)
    row.claimed_until = None
    FleetOrder.objects.filter(pk=row.pk).update(claimed_until=None)
    return row


def _asked_again(speaker: FleetProvider, known: Known) -> Told | None:
    try:
        return speaker.query(known, clock.now())
    except FleetRefused:
        return None


def _known(row: FleetOrder) -> Known:
    return Known(row.number, row.pk.int & MASK_62, row.shop_no, row.provider_id)


def _asked(row: FleetOrder) -> Asked:
    """What the fleet has to know, the shopper's phone and door too: read when it is needed, kept nowhere else."""
    order, brief = orders.order(THE_SYSTEM, row.order_id), deliveries.brief(row.delivery_id)
    shop = stores.store(row.store_id)
    door = " ".join(part for part in (order.address, order.unit) if part)
    known = _known(row)
    return Asked(
        number=known.number,
        serial=known.serial,
        order_number=row.order_number,
        shop_no=row.shop_no,
        shop=Place(shop.name_zh, shop.phone, shop.address, shop.lat, shop.lon),
        door=Place(row.order_number, order.phone, door, order.lat, order.lon),
        city=organisations.city(shop.city_id).name_zh,
        note=order.note,
        value=order.total,
        units=sum(line.quantity for line in order.lines),
        pick_up_at=max(brief.ready_by, clock.now()),
        promised_to=brief.promised_to,
    )
