"""Which stores a hired fleet brings for, and how soon its courier is there: as soon as the last ones were."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

from django.db import connection

from highstreet.supply.stores.reads import StoreView

from . import ports

# Where a fleet has brought nothing yet.
USUAL_SECONDS = 900.0
LATELY = timedelta(days=7)
# Of a store's last so many: what was true in the morning is not so at noon.
LAST = 20
_CAME = """
SELECT store_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY came) FROM (
  SELECT store_id, extract(epoch FROM COALESCE(arrived_at, picked_up_at) - created_at) AS came,
  row_number() OVER (PARTITION BY store_id ORDER BY created_at DESC, id DESC) AS place
  FROM dispatch_delivery WHERE city_id = %s AND created_at > %s AND carrier = 'fleet' AND not_before IS NULL
  AND (arrived_at IS NOT NULL OR picked_up_at < COALESCE(ended_at, 'infinity') - interval '1 minute')
) q WHERE place <= %s GROUP BY store_id
"""


def brings(city_id: UUID, store_id: UUID) -> bool:
    """Whether a hired fleet brings what this store sells."""
    return ports.fleets.filled and store_id in ports.fleets().serving(city_id=city_id, store_ids=[store_id])


class Doorstep:
    """Fills `orders.ports.doorstep`: a hired fleet's couriers are not asked to take money for us."""

    def takes_cash(self, *, city_id: UUID, store_id: UUID) -> bool:
        return not brings(city_id, store_id)


def reach(city_id: UUID, shops: Sequence[StoreView], now: datetime) -> dict[UUID, float]:
    """By store that a fleet serves, seconds from asking it until somebody is there: the median of the last ones that
    came; of a store where nobody came yet, the median of the others.

    Not every fleet tells that its courier has arrived; then it is when the goods were taken along. What was only told
    once it was delivered says nothing.
    """
    if not ports.fleets.filled:
        return {}
    served = ports.fleets().serving(city_id=city_id, store_ids=[shop.id for shop in shops])
    if not served:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_CAME, [city_id, now - LATELY, LAST])
        came: dict[UUID, float] = {store: max(seconds, 0.0) for store, seconds in cursor.fetchall()}
    usual = median(came.values()) if came else USUAL_SECONDS
    return {store: came.get(store, usual) for store in sorted(served)}
