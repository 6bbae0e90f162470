"""Change what is sold."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from highstreet.kernel.policy import SYSTEM, Actor, action, within
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID, NOT_FOUND

from ..models import Listing
from .importing import import_city

MAX_PRICE = 10_000_000


@action("catalog.manage")
def set_listing(
    *, actor: Actor, store_id: UUID, variant_id: UUID, price: int, was: int | None = None, visible: bool = True
) -> None:
    """Price (fen) and visibility of a variant at a store of the actor's organisation, or of its cities.

    Orders and quotes keep the price they froze. Refuses INVALID, NOT_FOUND, and OVER_LIMIT for a change of the price
    by more per cent than the actor may, up or down.
    """
    if not 1 <= price <= MAX_PRICE or (was is not None and not price < was <= MAX_PRICE):
        raise Refused(INVALID, field="price", problem=str(price))
    rows = Listing.objects.filter(store_id=store_id, variant_id=variant_id)
    if actor.kind != SYSTEM:
        own = actor.organisation_id
        rows = rows.filter(Q(store__organisation_id=own) | Q(store__city__retailer_id=own))
    if "catalog.manage" in actor.limits:
        before = rows.select_for_update(of=("self",), no_key=True).values_list("price", flat=True).first()
        if before is not None:
            # Rounded up: a limit of 10 % does not allow 10.4 %.
            within(actor, "catalog.manage", -(-abs(price - before) * 100 // before))
    changed = rows.update(price=price, was=was, visible=visible)
    if changed != 1:
        raise Refused(NOT_FOUND)


__all__ = ["import_city", "set_listing"]
