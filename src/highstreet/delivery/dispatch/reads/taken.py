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
    """What was taken from the actor in the last ten minutes and has not ended, the latest first; each order once, with
    the latest reason."""
    require(actor, "courier.work")
    me = couriers.me(actor).id
    rows = Override.objects.filter(was_courier_id=me, at__gt=clock.now() - SAID_FOR).exclude(delivery__courier_id=me)
    said: dict[str, str] = {}
    open_rows = rows.exclude(delivery__status__in=ENDED).order_by("-at", "pk")
    for number, why in open_rows.values_list("delivery__order_number", "why"):
        said.setdefault(number, why)
    return [TakenView(number, why) for number, why in said.items()]
