"""What couriers say of their time: the courier's own list, and everybody's for who plans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F

from highstreet.kernel import clock
from highstreet.kernel.policy import Actor
from highstreet.supply.organisations import reads as organisations

from .. import rules
from ..models import Courier, Wish
from .people import me

MOST_WISHES = 40


@dataclass(frozen=True)
class WishView:
    id: UUID
    said: rules.Wish


def wishes(actor: Actor) -> list[WishView]:
    """The actor's own, weekdays before dates; of dates those from today on."""
    own = me(actor)
    today = clock.now().astimezone(organisations.city(own.city_id).zone).date()
    rows = Wish.objects.filter(courier_id=own.id).exclude(day__lt=today)
    order = (F("day").asc(nulls_first=True), "weekday", "from_minute", "to_minute")
    return [WishView(row.pk, said(row)) for row in rows.order_by(*order)]


def of_couriers(courier_ids: Iterable[UUID]) -> dict[UUID, list[rules.Wish]]:
    """What each of these couriers says; who says nothing is not in it."""
    found: dict[UUID, list[rules.Wish]] = defaultdict(list)
    for row in Wish.objects.filter(courier_id__in=list(courier_ids)):
        found[row.courier_id].append(said(row))
    return dict(found)


def of_city(city_id: UUID) -> dict[UUID, list[rules.Wish]]:
    """By every courier who works in the city, what they say: [] for most, as a rule."""
    people = Courier.objects.filter(city_id=city_id, active=True).order_by("pk").values_list("pk", flat=True)
    found = {one: list[rules.Wish]() for one in people}
    for row in Wish.objects.filter(courier__city_id=city_id, courier__active=True):
        found.setdefault(row.courier_id, []).append(said(row))
    return found


def said(row: Wish) -> rules.Wish:
    return rules.Wish(row.kind, row.from_minute, row.to_minute, row.weekday, row.day)
