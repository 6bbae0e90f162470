"""A city's zones, their couriers, and what is left of each quarter of an hour there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from highstreet.delivery.couriers import reads as couriers
from highstreet.kernel.money import split_by_weight
from highstreet.supply.organisations.rules import Terms

from .. import rules

# Each store's zone with that zone's couriers and orders; then quarters, of the city as one and of zones: capacity,
# held, taken.
ZONES = """
SELECT p.store_id, NULL::timestamptz, z.couriers::bigint, z.orders, NULL::bigint, z.id
FROM promise_zone z JOIN promise_zonestore p ON p.zone_id = z.id WHERE z.city_id = %(city)s
UNION ALL
SELECT id, starts_at, capacity, held, taken, NULL FROM promise_capacityslot
WHERE city_id = %(city)s AND starts_at >= %(first)s AND starts_at <= %(last)s
UNION ALL
SELECT s.id, s.starts_at, s.capacity, s.held, s.taken, z.id
FROM promise_zone z JOIN promise_capacityslot s ON s.zone_id = z.id
WHERE z.city_id = %(city)s AND s.starts_at >= %(first)s AND s.starts_at <= %(last)s
"""


@dataclass
class Zones:
    """The zone of each store, {} where the city is one; by zone (None: the city as one) its own couriers, orders and
    the quarters that have a row, with what is promised of each. `hired`: fleets' couriers by their store, None by all
    stores without a fleet of their own.

    Quarters of zones that have no stores any more are among them: what is promised of those takes couriers too.
    """

    of: dict[UUID, UUID] = field(default_factory=dict)
    couriers: dict[UUID, int] = field(default_factory=dict)
    orders: dict[UUID, int] = field(default_factory=dict)
    quarters: dict[UUID | None, dict[datetime, rules.Bin]] = field(default_factory=dict)
    promised: dict[UUID | None, dict[datetime, int]] = field(default_factory=dict)
    hired: Mapping[UUID | None, int] = field(default_factory=dict)

    def add(self, row: Sequence[Any]) -> bool:
        """Take a row of `ZONES`; False when it is none."""
        key, starts_at, first, second, third, zone = row
        if starts_at is not None:
            self.quarters.setdefault(zone, {})[starts_at] = rules.Bin(starts_at, first - second - third, key)
            self.promised.setdefault(zone, {})[starts_at] = second + third
        elif zone is not None:
            self.of[key] = zone
            self.couriers[zone], self.orders[zone] = first, second
        return starts_at is not None or zone is not None

    @property
    def all(self) -> list[UUID | None]:
        """The zones that have stores; the city alone where it is one."""
        return sorted(self.couriers) if self.of else [None]  # type: ignore[return-value]

    def knows(self, store_id: UUID) -> bool:
        """Whether the store has a zone: a new one has none until the dispatcher looked, within a minute."""
        return not self.of or store_id in self.of

    @property
    def ours(self) -> list[bool]:
        """Of `all`: whether our own couriers bring anything there. What a fleet is hired for, it brings alone; so a
        store's own fleet has a zone to itself (but for the minute before the dispatcher looks)."""
        if None in self.hired or not self.of:
            return [not self.hired for _ in self.all]
        served = {zone for store, zone in self.of.items() if store not in self.hired}
        return [zone in served for zone in self.all]

    def at_work(self, own: int, come: int = 0) -> list[int]:
        """The couriers of `all`: our `own` as dispatch told, but for those who went since, and hired ones. Who came
        since is not placed; who is to `come` is, by what was ordered lately."""
        if not self.of:
            return self.with_hired([own + come])
        told = [self.couriers[zone] for zone in sorted(self.couriers)]
        here = split_by_weight(min(own, sum(told)), told)
        return self.with_hired([one + more for one, more in zip(here, self.shared(come), strict=True)])

    def shared(self, total: int) -> list[int]:
        """Our own couriers of `all` when only the city's are known: by what was ordered lately."""
        if not self.of:
            return [total]
        usual = zip((self.orders[zone] for zone in sorted(self.orders)), self.ours, strict=True)
        return split_by_weight(total, [orders if mine else 0 for orders, mine in usual])

    def with_hired(self, own: Sequence[int]) -> list[int]:
        """These couriers of `all` where ours bring anything, and the hired ones: a store's at that store, the city's
        where stores have none, by what was ordered lately."""
        here = [count if mine else 0 for count, mine in zip(own, self.ours, strict=True)]
        if not self.of:
            return [here[0] + sum(self.hired.values())]
        found = dict(zip(sorted(self.couriers), here, strict=True))
        served = sorted({zone for store, zone in self.of.items() if store not in self.hired})
        if served:
            riders = split_by_weight(self.hired.get(None, 0), [self.orders[zone] for zone in served])
            for zone, more in zip(served, riders, strict=True):
                found[zone] += more
        for store, more in self.hired.items():
            if store in self.of:
                found[self.of[store]] += more
        return [found[zone] for zone in sorted(found)]

    def elsewhere(self, starts_at: datetime) -> int:
        """What is promised of a quarter in zones that are no more."""
        here = set(self.all)
        return sum(known.get(starts_at, 0) for zone, known in self.promised.items() if zone not in here)


def zones(city_id: UUID, first: datetime, last: datetime) -> Zones:
    """One query: the city's zones, with the quarters that begin from `first` to `last`."""
    found = Zones(hired=couriers.hired(city_id))
    with connection.cursor() as cursor:
        cursor.execute(ZONES, {"city": city_id, "first": first, "last": last})
        for row in cursor.fetchall():
            found.add(row)
    return found


def capacities(
    city_id: UUID, known: Zones, zone: UUID | None, starts: Sequence[datetime], terms: Terms, at: datetime
) -> list[int]:
    """Deliveries that a zone's quarters without a row are opened for: by who works there now and is to come, beyond the
    next hours by who will, of whom a zone has as many as is ordered there. A zone that is no more has none.

    Beyond the next hours only a share is given away so early; the rest is for who orders then.
    """
    if not starts or zone not in known.all:
        return [0 for _ in starts]
    near, place = rules.slot_starts(at)[-1], known.all.index(zone)
    soon, later = [one for one in starts if one <= near], [one for one in starts if one > near]
    people = {
        start: known.at_work(one.stay, one.come)
        for start, one in zip(soon, couriers.coming(city_id, soon, at), strict=True)
    }
    for start, total in zip(later, couriers.expected(city_id, later, at), strict=True):
        people[start] = known.with_hired(known.shared(total))
    found = []
    for start in starts:
        most = rules.left([rules.capacity(one) for one in people[start]], known.elsewhere(start))[place]
        found.append(-(-most * terms.slot_share // 100) if start > near else most)
    return found
