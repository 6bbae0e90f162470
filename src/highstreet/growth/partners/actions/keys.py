"""API keys: made by an owner, shown once, revoked at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from highstreet.kernel import clock, ids
from highstreet.kernel.policy import Actor, action, within
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID, NOT_FOUND
from highstreet.people.accounts.reads import digest
from highstreet.people.staff.policy import LIMITED, SCOPES
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores
from highstreet.trade.orders.rules import clean

from .. import rules
from ..models import ApiKey
from ..refusals import SCOPE_NOT_YOURS, TOO_MANY
from ..steps import one_at_a_time, person_of

MAX_KEYS = 50


@dataclass(frozen=True)
class MadeKey:
    """`token` is told here and nowhere else."""

    id: UUID
    token: str


@action("keys.manage")
def make_key(
    *,
    actor: Actor,
    name: str,
    scopes: Collection[str],
    store_ids: Collection[UUID] | None = None,
    city_id: UUID | None = None,
    days: int | None = None,
    limits: Mapping[str, int] | None = None,
) -> MadeKey:
    """A key that may what `scopes` say, for `days` (None: until revoked), at these stores or in whatever stores a city
    of the organisation's has (both None: all the maker has).

    `limits`: the most for scopes that have a unit; left out, the maker's own.
    Refuses OVER_LIMIT, INVALID, SCOPE_NOT_YOURS (more than the maker has), NOT_FOUND (a store or a city that is
    not the maker's), PERSONS_ONLY and TOO_MANY.
    """
    organisation_id = person_of(actor)
    words = clean(name, rules.MAX_NAME)
    if not words:
        raise Refused(INVALID, field="name", problem=f"1-{rules.MAX_NAME}")
    if not scopes:
        raise Refused(INVALID, field="scopes", problem="1+")
    if more := rules.beyond(scopes, SCOPES & actor.permissions):
        raise Refused(SCOPE_NOT_YOURS, scopes=", ".join(more)[:200])
    most = _limits(actor, scopes, limits or {})
    if days is not None and not 1 <= days <= rules.MAX_KEY_DAYS:
        raise Refused(INVALID, field="days", problem=f"1-{rules.MAX_KEY_DAYS}")
    if city_id is not None:
        _must_have(actor, city_id, store_ids)
    at = clock.now()
    one_at_a_time(organisation_id)
    if ApiKey.objects.filter(organisation_id=organisation_id, revoked_at=None).count() >= MAX_KEYS:
        raise Refused(TOO_MANY, most=MAX_KEYS)
    token = rules.KEY_PREFIX + ids.random_token(40)
    row = ApiKey.objects.create(
        id=ids.new_id(),
        organisation_id=organisation_id,
        name=words,
        prefix=token[: rules.SHOWN],
        digest=digest(token),
        scopes=sorted(set(scopes)),
        stores=_stores(actor, store_ids) if city_id is None else None,
        city_id=city_id,
        limits=most,
        made_by=actor.name,
        created_at=at,
        expires_at=at + timedelta(days=days) if days is not None else None,
    )
    return MadeKey(row.pk, token)


@action("keys.manage")
def revoke_key(*, actor: Actor, key_id: UUID) -> None:
    """The next request with it is a stranger's. Doing it twice changes nothing. Refuses NOT_FOUND, PERSONS_ONLY."""
    own = ApiKey.objects.filter(pk=key_id, organisation_id=person_of(actor))
    if own.filter(revoked_at=None).update(revoked_at=clock.now()) == 0 and not own.exists():
        raise Refused(NOT_FOUND)


def _limits(actor: Actor, scopes: Collection[str], wanted: Mapping[str, int]) -> dict[str, int]:
    """The key's limits: what was asked for, and the maker's where nothing was. Never more than the maker's."""
    for code, most in wanted.items():
        if code not in LIMITED or code not in scopes or type(most) is not int or not 0 <= most <= rules.MAX_LIMIT:
            raise Refused(INVALID, field="limits", problem=f"{code}: {most}"[:80])
        within(actor, code, most)
    own = {code: most for code, most in actor.limits.items() if code in scopes and code in LIMITED}
    return {**own, **wanted}


def _must_have(actor: Actor, city_id: UUID, store_ids: Collection[UUID] | None) -> None:
    """Only who has all stores gives away a city's: it may get more of them."""
    if store_ids is not None:
        raise Refused(INVALID, field="city", problem="stores")
    if actor.store_ids is not None or organisations.city(city_id).retailer_id != actor.organisation_id:
        raise Refused(NOT_FOUND)


def _stores(actor: Actor, wanted: Collection[UUID] | None) -> list[str] | None:
    if wanted is None:
        return None if actor.store_ids is None else sorted(str(one) for one in actor.store_ids)
    if not wanted:
        raise Refused(INVALID, field="stores", problem="1+")
    for store_id in wanted:
        stores.must_work_at(actor, store_id)
    return sorted({str(one) for one in wanted})
