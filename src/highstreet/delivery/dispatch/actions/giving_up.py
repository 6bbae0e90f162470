"""Our own deliveries that nobody goes on with: no courier takes them, or their goods are not brought back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import DateTimeField, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from highstreet.kernel import clock
from highstreet.kernel.models import StateChange
from highstreet.kernel.policy import SYSTEM, Actor, action, require
from highstreet.kernel.refusal import Refused
from highstreet.supply.organisations import reads as organisations
from highstreet.trade.orders import actions as orders

from ..models import Delivery
from ..moving import lose, step
from ..rules import ends
from ..states import MACHINE

BATCH = 50
NOBODY = "no_courier"


def give_up_stuck(*, actor: Actor, limit: int = BATCH) -> int:
    """End what has waited for a courier, or for its goods in the store again, for too long. Returns how many.

    Each in a transaction of its own; whoever takes it or brings it back in the same moment is first, or finds it ended.
    """
    require(actor, SYSTEM)
    now, cities = clock.now(), [city.id for city in organisations.cities()]
    found: list[UUID] = []
    for rows in (_untaken(now), _not_back(now)):
        due = rows.filter(city_id__in=cities).order_by("promised_to", "pk")
        found += due.values_list("pk", flat=True)[:limit]
    ended = 0
    for delivery_id in found:
        try:
            ended += give_up(actor=actor, delivery_id=delivery_id)
        except Refused:
            # Its order has ended, or leaves the store just now.
            continue
    return ended


give_up_stuck.__policy__ = SYSTEM  # type: ignore[attr-defined]


@action(SYSTEM)
def give_up(*, actor: Actor, delivery_id: UUID) -> bool:
    """End one: what nobody takes with its order cancelled, refunded and made good; what is not brought back as lost,
    refunded. Whether it was due. Refuses as the order's cancellation does."""
    row = Delivery.objects.select_for_update(no_key=True).defer("proof").get(pk=delivery_id)
    # Looked at anew now that it is locked: its history too.
    now = clock.now()
    if _untaken(now).filter(pk=row.pk).exists():
        step(actor, row, "cancel", note=NOBODY)
        orders.let_down(actor=actor, order_id=row.order_id, reason=NOBODY)
    elif _not_back(now).filter(pk=row.pk).exists():
        lose(actor, row)
    else:
        return False
    return True


def _untaken(now: datetime) -> QuerySet[Delivery]:
    """Packed, and an hour after its promise nobody has had it for an hour: an offer that lapsed is no beginning anew.
    What is never packed is the store's."""
    before = now - ends.GIVE_UP_LATE
    return _since(before, ("let_go", "take_back")).filter(
        status="waiting", promised_to__lte=before, ready_at__lte=before
    )


def _not_back(now: datetime) -> QuerySet[Delivery]:
    return _since(now - ends.BACK_WITHIN, ("fail",)).filter(status="failed")


def _since(before: datetime, events: Sequence[str]) -> QuerySet[Delivery]:
    """Our own to which the last of these events, or their beginning, happened `before`."""
    path = StateChange.objects.filter(subject=OuterRef("pk"), machine=MACHINE.name, event__in=events)
    last = Subquery(path.order_by("-at").values("at")[:1])
    began = Coalesce(last, F("created_at"), output_field=DateTimeField())
    return Delivery.objects.annotate(began=began).filter(carrier="own", began__lte=before)
