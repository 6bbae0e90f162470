"""When a store begins: as told, sooner because its courier is, sooner by itself; and what its figures count."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models import F

from highstreet.kernel import clock
from highstreet.kernel.models import OutboxEvent
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.kernel.refusal import Refused
from highstreet.supply.stores import reads as stores
from highstreet.trade.fulfilment import actions, reads
from highstreet.trade.fulfilment.models import Fulfilment

from . import support
from .test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


def waiting(place: support.Shop, starts_in: int = 17) -> Fulfilment:
    """An accepted order that is begun in so many minutes and takes eight."""
    row = support.order(place, {"toast": 1})
    actions.accept(actor=place.staff(), fulfilment_id=row.pk)
    start_at = clock.now() + starts_in * MINUTE
    Fulfilment.objects.filter(pk=row.pk).update(start_at=start_at, ready_by=start_at + 8 * MINUTE)
    return Fulfilment.objects.get(pk=row.pk)


def moved() -> int:
    return OutboxEvent.objects.filter(name="StartMoved").count()


def sooner(row: UUID, by: timedelta = 10 * MINUTE) -> bool:
    at = Fulfilment.objects.get(pk=row).start_at
    assert at is not None
    return actions.start_sooner(actor=THE_SYSTEM, fulfilment_id=row, at=at - by)


def test_a_store_that_begins_sooner_has_as_long() -> None:
    row = waiting(support.shop())
    assert sooner(row.pk)
    now = Fulfilment.objects.get(pk=row.pk)
    assert now.start_at == row.start_at - 10 * MINUTE and now.ready_by == row.ready_by - 10 * MINUTE  # type: ignore[operator]
    (told,) = OutboxEvent.objects.filter(name="StartMoved")
    assert f"store:{row.store_id}" in told.topics and f"order:{row.order_id}" in told.topics


def test_never_later_and_not_once_it_has_begun() -> None:
    place = support.shop()
    row = waiting(place)
    assert not sooner(row.pk, -5 * MINUTE) and not sooner(row.pk, 0 * MINUTE)
    actions.start_picking(actor=place.staff(), fulfilment_id=row.pk)
    assert moved() == 1
    assert not sooner(row.pk) and moved() == 1
    assert Fulfilment.objects.get(pk=row.pk).ready_by == row.ready_by


def test_what_was_to_begin_at_once_stays_so() -> None:
    row = support.order(support.shop(), {"toast": 1})
    assert not actions.start_sooner(actor=THE_SYSTEM, fulfilment_id=row.pk, at=clock.now())
    assert Fulfilment.objects.get(pk=row.pk).start_at is None


def test_only_the_platform_moves_it() -> None:
    place = support.shop()
    row = waiting(place)
    with pytest.raises(Refused, match="forbidden"):
        actions.start_sooner(actor=place.staff(), fulfilment_id=row.pk, at=clock.now())


def test_who_has_nothing_else_to_do_may_begin() -> None:
    place = support.shop()
    row = waiting(place)
    before = clock.now()
    actions.scan(actor=place.staff(), fulfilment_id=row.pk, code="SKU-3")
    now = Fulfilment.objects.get(pk=row.pk)
    assert now.start_at is not None and before <= now.start_at <= clock.now() and now.ready_by == row.ready_by
    assert moved() == 1


def test_begun_in_time_it_is_where_it_was_planned() -> None:
    place = support.shop()
    row = waiting(place, -2)
    actions.start_picking(actor=place.staff(), fulfilment_id=row.pk)
    assert Fulfilment.objects.get(pk=row.pk).start_at == row.start_at and moved() == 0


def test_figures_count_from_when_it_was_to_begin() -> None:
    place = support.shop()
    row = support.ready(support.order(place, {"toast": 1}), place.staff())
    at = clock.now()
    for begun, took in ((None, 30), (at + 18 * MINUTE, 12), (at - 5 * MINUTE, 30)):
        Fulfilment.objects.filter(pk=row.pk).update(accepted_at=at, start_at=begun, ready_at=at + 30 * MINUTE)
        day = Fulfilment.objects.get(pk=row.pk).created_at.astimezone(stores.store(place.store.pk).zone).date()
        assert reads.figures(THE_SYSTEM, place.store.pk, day).pick_minutes == took


def moves(work: Callable[[UUID], object]) -> timedelta:
    """How far eight at once move the time to be packed by."""
    row = waiting(support.shop())
    at_once(8, lambda: work(row.pk))
    return row.ready_by - Fulfilment.objects.get(pk=row.pk).ready_by


def test_eight_at_once_move_it_once() -> None:
    at = clock.now()
    gone = moves(lambda row: actions.start_sooner(actor=THE_SYSTEM, fulfilment_id=row, at=at))
    assert 16 * MINUTE < gone <= 18 * MINUTE and moved() == 1


def test_who_reads_first_moves_it_again_and_again() -> None:
    """The negative control: looks whether it may, thinks, writes."""
    at = clock.now()

    def careless(row: UUID) -> None:
        seen = Fulfilment.objects.get(pk=row).start_at
        assert seen is not None
        if seen > at:
            clock.sleep(0.3)
            Fulfilment.objects.filter(pk=row).update(start_at=at, ready_by=F("ready_by") - (seen - at))

    assert moves(careless) > 30 * MINUTE
