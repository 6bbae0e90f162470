"""A courier, as the row that changes of theirs wait for."""

from __future__ import annotations

from uuid import UUID

from highstreet.kernel.policy import Actor
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND

from .models import Courier
from .refusals import NOT_A_COURIER


def courier(actor: Actor, *, lock: bool = True) -> Courier:
    """The actor's courier, held until the transaction ends; NOT_A_COURIER for anybody else."""
    if actor.courier_id is None:
        raise Refused(NOT_A_COURIER)
    rows = Courier.objects.filter(pk=actor.courier_id, active=True)
    found = (rows.select_for_update(no_key=True) if lock else rows).first()
    if found is None:
        raise Refused(NOT_A_COURIER)
    return found


def of_city(city_id: UUID, courier_id: UUID) -> Courier:
    """A courier of a city, at work or not; what is in hand cannot be taken twice meanwhile. NOT_FOUND for others."""
    found = Courier.objects.select_for_update(no_key=True).filter(pk=courier_id, city_id=city_id).first()
    if found is None:
        raise Refused(NOT_FOUND)
    return found
