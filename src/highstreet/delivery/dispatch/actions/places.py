"""Where idle couriers are asked to wait: nearer to where the next orders come from."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from django.db import connection

from highstreet.delivery.routing.engine import straight_seconds
from highstreet.kernel import clock, outbox, rows
from highstreet.kernel.policy import SYSTEM, Actor, action

from ..engine import SERVING, Floats, Problem, drift
from ..models import WaitingPlace
from ..snapshot import Snapshot

# An hour ahead is guessed by what began in the last three quarters of it, and in the same ones of the last week's days.
LOOK = timedelta(minutes=45)
DAYS = 7
# An order that nobody has yet is not a guess.
KNOWN = 3.0
# Whoever was asked to wait somewhere is on the way there, or there, for so long.
ASKED = timedelta(minutes=15)
# Couriers x stores squared that are looked at in a minute; beyond it a city is cut into zones first.
MOST = 50_000_000
_DEMAND = """
SELECT d.store_id, sum(w.weight)
FROM unnest(%s::timestamptz[], %s::timestamptz[], %s::float8[]) AS w (since, until, weight)
JOIN dispatch_delivery d ON d.city_id = %s AND d.carrier = 'own' AND d.created_at >= w.since AND d.created_at < w.until
GROUP BY d.store_id
"""


@action(SYSTEM)
def place_idle(*, actor: Actor, city_id: UUID, seen: Snapshot) -> int:
    """Ask idle couriers to wait near the stores that will need them, three at most a call. Returns how many.

    `seen` knows the rides to every store. Whoever has something to do, or was asked a quarter of an hour ago, is asked
    no longer. Nobody has to go.
    """
    now = clock.now()
    busy = {row.courier_id for row in seen.live}
    idle = {
        courier.id: number
        for number, courier in enumerate(seen.couriers)
        if courier.id not in busy and courier.takes_orders(now)
    }
    asked = WaitingPlace.objects.filter(store__city_id=city_id)
    asked.exclude(courier_id__in=idle, at__gt=now - ASKED).delete()
    if len(idle) * len(seen.stores) ** 2 > MOST or len(seen.stores) < 2:
        return 0
    demand = _demand(city_id, seen, now)
    if not demand.any():
        return 0
    places = np.array([(shop.lat, shop.lon) for shop in seen.stores], float)
    problem = replace(seen.problem, apart=straight_seconds(places, places, "bike"), demand=demand)
    problem = _on_their_way(problem, seen, idle, dict(asked.values_list("courier_id", "store_id")))
    moves = drift(problem, (), SERVING.gain)
    made = [
        WaitingPlace(courier_id=seen.couriers[move.courier].id, store_id=seen.stores[move.store].id, at=now)
        for move in moves
    ]
    rows.put(made)
    if made:
        outbox.tell([f"courier:{one.courier_id}" for one in made], {"name": "wait"})
    return len(made)


def _demand(city_id: UUID, seen: Snapshot, now: datetime) -> Floats:
    """How much is ordered at each store of `seen`, any unit."""
    since = [now - LOOK, *(now - timedelta(days=day) for day in range(1, DAYS + 1))]
    weights = [1.0, *[1.0 / DAYS] * DAYS]
    with connection.cursor() as cursor:
        cursor.execute(_DEMAND, [since, [at + LOOK for at in since], weights, city_id])
        begun = dict(cursor.fetchall())
    made = np.array([float(begun.get(shop.id, 0.0)) for shop in seen.stores])
    np.add.at(made, seen.problem.store, KNOWN)
    return made


def _on_their_way(problem: Problem, seen: Snapshot, idle: dict[UUID, int], asked: dict[UUID, UUID]) -> Problem:
    """Who was asked to wait somewhere is counted as there, and not asked again."""
    stores = {shop.id: number for number, shop in enumerate(seen.stores)}
    to_store, free = problem.to_store.copy(), problem.free_in.copy()
    for courier_id, store_id in asked.items():
        free[idle[courier_id]] = 1.0
        to_store[idle[courier_id]] = problem.apart[stores[store_id]]
    return replace(problem, to_store=to_store, free_in=free)
