"""What a courier need not bring after all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from highstreet.delivery.couriers import reads as couriers
from highstreet.kernel import clock
from highstreet.kernel.policy import Actor, require

from ..models import Override
from ..states import ENDED

# So long it is said.
SAID_FOR = timedelta(minutes=10)


@dataclass(frozen=True)
class TakenView:
    """An order that somebody else brings now, or nobody yet. `why`: one of `rules.OVERRIDES`, or `rules.HELD_UP`."""

    order_number: str
    why: str


def taken_away(actor: Actor) -> list[TakenView]:
    """What was taken from the actor in the last ten minutes, for a while that they had it, the latest first."""
    require(actor, "courier.work")
    me = couriers.me(actor).id
    rows = Override.objects.filter(was_courier_id=me, at__gt=clock.now() - SAID_FOR).exclude(delivery__courier_id=me)
    said = rows.exclude(delivery__status__in=ENDED).order_by("-at", "pk").values_list("delivery__order_number", "why")
    return [TakenView(number, why) for number, why in dict(said).items()]
