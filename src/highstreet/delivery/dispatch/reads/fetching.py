"""Who comes for a store's bags, and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from highstreet.delivery.couriers.rules import first_name
from highstreet.delivery.routing.engine import Mode
from highstreet.kernel import clock
from highstreet.trade.fulfilment.ports import Rider

from .. import ports, rules, snapshot
from ..models import Delivery
from ..states import LIVE

# Where a courier was longer ago says nothing of minutes.
FRESH = timedelta(minutes=2)


def coming(fulfilment_ids: Collection[UUID]) -> dict[UUID, Rider]:
    """Who has agreed to fetch each of these: a courier who may still decline is nobody yet."""
    agreed = Delivery.objects.filter(fulfilment_id__in=fulfilment_ids, status__in=("accepted", "at_store"))
    rows = list(agreed.select_related("courier").defer("proof"))
    hired = [row.pk for row in rows if row.carrier == "fleet"]
    theirs = ports.fleets().couriers(hired) if hired and ports.fleets.filled else {}
    arrives = _arrivals({row.courier_id for row in rows if row.courier_id and row.status == "accepted"})
    found = {}
    for row in rows:
        told = theirs.get(row.pk)
        name = told.name if told else first_name(row.courier.name) if row.courier else ""
        tail, here = told.phone_tail if told else "", row.status == "at_store"
        found[row.fulfilment_id] = Rider(name, tail, here, None if here else arrives.get(row.pk))
    return found


def _arrivals(courier_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """When each delivery's courier is at its store, by road, of those for whom that comes next and who told where they
    are."""
    if not courier_ids:
        return {}
    now, found = clock.now(), dict[UUID, datetime]()
    bags = defaultdict[UUID | None, list[Delivery]](list)
    live = Delivery.objects.filter(courier_id__in=courier_ids, status__in=LIVE)
    for row in live.select_related("courier").defer("proof"):
        bags[row.courier_id].append(row)
    for rows in bags.values():
        courier, first = rows[0].courier, rules.stops(snapshot.tasks(rows, now))[0]
        if courier is None or courier.lat is None or courier.lon is None or first.kind != "pickup":
            continue
        if courier.seen_at is None or courier.seen_at < now - FRESH:
            continue
        streets = snapshot.legs(rows[0].city_id)
        way = float(streets.to_place([(courier.lat, courier.lon)], first.place, cast(Mode, courier.vehicle), now)[0])
        found |= dict.fromkeys(first.deliveries, now + timedelta(seconds=way))
    return found
