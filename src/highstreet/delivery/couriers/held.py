"""Who acts, as the row that their own changes wait for."""

from __future__ import annotations

from highstreet.kernel.policy import Actor
from highstreet.kernel.refusal import Refused

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
