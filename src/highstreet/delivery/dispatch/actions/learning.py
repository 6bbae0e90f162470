"""What finished rides teach: how fast the streets are at each hour."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import connection

from highstreet.delivery.routing import actions as routing
from highstreet.delivery.routing.actions import Trip
from highstreet.delivery.routing.engine import MODES
from highstreet.kernel import clock
from highstreet.kernel.policy import SYSTEM, THE_SYSTEM, Actor, action

from .. import rules

REMEMBERED = timedelta(days=14)
MOST_TRIPS = 20_000
# Rides from a store straight to one door: who had a second order in the bag may have gone elsewhere first. Where nobody
# said to be at the door, handing over took its usual time.
_STRAIGHT = """
SELECT s.lat, s.lon, d.lat, d.lon, d.picked_up_at,
       extract(epoch FROM COALESCE(d.at_door_at, d.ended_at - make_interval(secs => %(door)s)) - d.picked_up_at)::float
FROM dispatch_delivery d JOIN stores_store s ON s.id = d.store_id JOIN couriers_courier c ON c.id = d.courier_id
WHERE c.vehicle = %(vehicle)s AND d.city_id = %(city)s AND d.carrier = 'own' AND d.status = 'delivered'
  AND d.ended_at > %(since)s
  AND COALESCE(d.at_door_at, d.ended_at - make_interval(secs => %(door)s)) > d.picked_up_at
  AND NOT EXISTS (
    SELECT 1 FROM dispatch_delivery o WHERE o.courier_id = d.courier_id AND o.id <> d.id
      AND o.picked_up_at < d.ended_at AND COALESCE(o.ended_at, 'infinity') > d.picked_up_at)
ORDER BY d.ended_at DESC LIMIT %(most)s
"""


@action(SYSTEM)
def learn_speeds(*, actor: Actor, city_id: UUID) -> int:
    """Learn the city's speeds by hour and vehicle from the last fortnight's straight rides. Returns how many there
    were."""
    since, learned = clock.now() - REMEMBERED, 0
    for mode in MODES:
        with connection.cursor() as cursor:
            asked = {
                "city": city_id,
                "vehicle": mode,
                "since": since,
                "most": MOST_TRIPS,
                "door": rules.AT_DOOR_SECONDS,
            }
            cursor.execute(_STRAIGHT, asked)
            trips = [Trip((a, b), (c, d), began, seconds) for a, b, c, d, began, seconds in cursor.fetchall()]
        learned += routing.learn_speeds(actor=THE_SYSTEM, city_id=city_id, trips=trips, mode=mode)
    return learned
