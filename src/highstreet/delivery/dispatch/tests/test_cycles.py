"""How long a delivery keeps a courier: what capacity is reckoned by."""

from __future__ import annotations

from datetime import timedelta

import pytest

from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON
from highstreet.kernel import clock
from highstreet.kernel.policy import Actor

from .. import reads
from ..models import Delivery
from .test_actions import begin

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def brought(place: support.Town, rider: Actor, accepted: int, ended: int) -> None:
    row = begin(support.fulfilment(place, status="ready"))
    Delivery.objects.filter(pk=row.pk).update(
        status="delivered",
        courier_id=rider.courier_id,
        accepted_at=NOON + accepted * MINUTE,
        ended_at=NOON + ended * MINUTE,
    )


def test_a_minute_counts_once_however_many_orders_share_it() -> None:
    place = support.town()
    with support.ticking():
        ana, ben = support.courier(place, 0), support.courier(place, 0)
        assert ben.courier_id is not None
        for number in range(5):
            # Two in one bag, 30 minutes; the next ride of 10 is accepted five minutes before their end.
            for accepted, ended in ((0, 20), (0, 30), (25, 40)):
                brought(place, ana, 60 * number + accepted, 60 * number + ended)
            brought(place, ben, 60 * number, 60 * number + 40)
    with clock.frozen(NOON + 100 * MINUTE):
        assert reads.cycle_minutes(place.city_id) == pytest.approx((40 + 40) / 4)
        Delivery.objects.filter(courier_id=ben.courier_id).delete()
        assert reads.cycle_minutes(place.city_id) == reads.DEFAULT_CYCLE_MINUTES, "fewer than twenty say little"
