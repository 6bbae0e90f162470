"""An organisation's accounts with fleets, and which stores' deliveries go there."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import IntegrityError, transaction

from highstreet.kernel import clock, ids
from highstreet.kernel.outward import Barred, outward
from highstreet.kernel.policy import Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID, NOT_FOUND
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores

from .. import providers
from ..models import Fleet, FleetOrder, FleetUse
from ..refusals import FLEET_BARRED, FLEET_BUSY, FLEET_TAKEN, SECRET_MISSING
from ..sealing import seal, unseal
from ..states import LIVE

MOST_SECRET = 200
MOST_COURIERS = 1000


@action("fleets.manage")
def add_fleet(*, actor: Actor, provider: str, name: str, secrets: Mapping[str, str], base_url: str = "") -> UUID:
    """Keep an account with a fleet; its secrets are sealed and never shown again. Returns its id.

    Refuses UNKNOWN_FLEET, SECRET_MISSING, INVALID and FLEET_BARRED (its address is not public https, now).
    """
    if actor.organisation_id is None or not stores.works_everywhere(actor):
        raise Refused(NOT_FOUND)
    now = clock.now()
    row = Fleet.objects.create(
        id=ids.new_id(),
        organisation_id=actor.organisation_id,
        provider=provider,
        name=_named(name),
        base_url=_address(base_url),
        secrets=seal(_complete(provider, secrets, base_url)),
        created_at=now,
        changed_at=now,
    )
    return row.pk


@action("fleets.manage")
def change_fleet(
    *,
    actor: Actor,
    fleet_id: UUID,
    name: str | None = None,
    secrets: Mapping[str, str] | None = None,
    active: bool | None = None,
) -> None:
    """Change what is not None; of the secrets, those that are not empty. Switched off, it is given nothing more; what
    it has it brings. Refuses NOT_FOUND, SECRET_MISSING and INVALID."""
    row = _own(actor, fleet_id)
    if name is not None:
        row.name = _named(name)
    if secrets:
        kept = {**unseal(row.secrets), **{field: text for field, text in secrets.items() if text}}
        row.secrets = seal(_complete(row.provider, kept, row.base_url))
    if active is not None:
        row.active = active
    row.changed_at = clock.now()
    row.save(update_fields=["name", "secrets", "active", "changed_at"])


@action("fleets.manage")
def remove_fleet(*, actor: Actor, fleet_id: UUID) -> None:
    """Its secrets are lost and its callbacks believed no more. Refuses NOT_FOUND, and FLEET_BUSY while it has work."""
    row = _own(actor, fleet_id)
    busy = FleetOrder.objects.filter(fleet=row, status__in=LIVE).count()
    if busy:
        raise Refused(FLEET_BUSY, count=busy)
    now = clock.now()
    FleetUse.objects.filter(fleet=row, ended_at=None).update(ended_at=now)
    row.active, row.secrets, row.removed_at, row.changed_at = False, "", now, now
    row.save(update_fields=["active", "secrets", "removed_at", "changed_at"])


@action("fleets.manage")
def use_fleet(
    *,
    actor: Actor,
    fleet_id: UUID,
    couriers: int,
    store_id: UUID | None = None,
    city_id: UUID | None = None,
    shop_no: str = "",
) -> UUID:
    """Deliveries that begin from now on in a store, or in all of a city's stores without a fleet of their own, go to
    this fleet. Returns the id of the use. Refuses NOT_FOUND, INVALID and FLEET_TAKEN."""
    row = _own(actor, fleet_id)
    if not 1 <= couriers <= MOST_COURIERS:
        raise Refused(INVALID, field="couriers", problem=f"1-{MOST_COURIERS}")
    if len(shop_no) > 64:
        raise Refused(INVALID, field="shop_no", problem="<= 64")
    if store_id is not None:
        city_id = stores.must_work_at(actor, store_id).city_id
    elif city_id is None or organisations.city(city_id).retailer_id != actor.organisation_id:
        raise Refused(NOT_FOUND)
    made = FleetUse(
        id=ids.new_id(),
        fleet=row,
        city_id=city_id,
        store_id=store_id,
        shop_no=shop_no,
        couriers=couriers,
        since=clock.now(),
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        raise Refused(FLEET_TAKEN) from None
    return made.pk


@action("fleets.manage")
def end_use(*, actor: Actor, use_id: UUID) -> None:
    """What begins from now on goes to our own couriers, or to the city's fleet. Refuses NOT_FOUND."""
    uses = FleetUse.objects.filter(pk=use_id, ended_at=None, fleet__in=Fleet.objects.visible_to(actor))
    if FleetUse.objects.filter(pk__in=uses.values("pk"), ended_at=None).update(ended_at=clock.now()) != 1:
        raise Refused(NOT_FOUND)


def _own(actor: Actor, fleet_id: UUID) -> Fleet:
    rows = Fleet.objects.visible_to(actor).select_for_update(no_key=True)
    row = rows.filter(pk=fleet_id, removed_at=None).first()
    if row is None:
        raise Refused(NOT_FOUND)
    return row


def _named(name: str) -> str:
    text = " ".join(name.replace("\x00", "").split())
    if not 1 <= len(text) <= 60:
        raise Refused(INVALID, field="name", problem="1-60")
    return text


def _complete(provider: str, secrets: Mapping[str, str], base_url: str) -> dict[str, str]:
    """The secrets that this provider asks for, all of them, and such that it can be spoken to."""
    wanted = providers.dialect(provider).secrets
    kept = {field: secrets.get(field, "").strip() for field in wanted}
    missing = [field for field, text in kept.items() if not 1 <= len(text) <= MOST_SECRET or not text.isprintable()]
    if missing:
        raise Refused(SECRET_MISSING, fields=", ".join(missing))
    try:
        providers.provider(provider, kept, base_url)
    except ValueError as error:
        raise Refused(INVALID, field="secrets", problem=str(error)[:100]) from None
    return kept


def _address(base_url: str) -> str:
    """ "" for the provider's own."""
    if not base_url:
        return ""
    try:
        outward().addresses(base_url)
    except Barred as barred:
        raise Refused(FLEET_BARRED, why=barred.code) from None
    return base_url.rstrip("/")
