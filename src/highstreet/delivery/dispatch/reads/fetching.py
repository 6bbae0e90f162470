"""Who comes for a store's bags."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from highstreet.delivery.couriers.rules import first_name
from highstreet.trade.fulfilment.ports import Rider

from .. import ports
from ..models import Delivery


def coming(fulfilment_ids: Collection[UUID]) -> dict[UUID, Rider]:
    """Who has agreed to fetch each of these: a courier who may still decline is nobody yet."""
    rows = list(
        Delivery.objects.filter(fulfilment_id__in=fulfilment_ids, status__in=("accepted", "at_store")).values_list(
            "pk", "fulfilment_id", "status", "carrier", "courier__name"
        )
    )
    hired = [pk for pk, _, _, carrier, _ in rows if carrier == "fleet"]
    theirs = ports.fleets().couriers(hired) if hired and ports.fleets.filled else {}
    found = {}
    for pk, fulfilment_id, status, _, name in rows:
        told = theirs.get(pk)
        mine = first_name(name or "")
        found[fulfilment_id] = Rider(told.name if told else mine, told.phone_tail if told else "", status == "at_store")
    return found
