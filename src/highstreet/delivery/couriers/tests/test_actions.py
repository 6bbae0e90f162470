from __future__ import annotations

import math
from datetime import timedelta
from unittest.mock import patch

import pytest

from highstreet.delivery.dispatch.models import Delivery
from highstreet.kernel import clock, ids, ledger, outbox
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.models import OutboxEvent
from highstreet.kernel.policy import NOBODY, THE_SYSTEM
from highstreet.kernel.refusal import Refused
from highstreet.people.accounts.reads import actor_of_user

from .. import actions, reads
from ..models import Courier, Shift
from . import support

pytestmark = pytest.mark.django_db


def test_a_shift_starts_once_and_ends_once() -> None:
    actor = support.courier(support.town())
    first = actions.start_shift(actor=actor)
    assert actions.start_shift(actor=actor) == first
    assert OutboxEvent.objects.filter(name="ShiftStarted").count() == 1
    actions.report_position(actor=actor, lat=-30.0, lon=-51.0)
    assert reads.me(actor).lat == -30.0
    actions.end_shift(actor=actor)
    actions.end_shift(actor=actor)
    assert OutboxEvent.objects.filter(name="ShiftEnded").count() == 1
    assert Shift.objects.filter(ends_at=None).count() == 0
    row = Courier.objects.get()
    assert (row.lat, row.lon, row.seen_at) == (None, None, None)
    assert support.broken() == []


def test_a_shift_may_start_again() -> None:
    actor = support.courier(support.town(), 0)
    actions.end_shift(actor=actor)
    with clock.advanced(timedelta(minutes=1)):
        actions.start_shift(actor=actor)
    assert reads.me(actor).on_shift
    assert reads.me(actor).lat is None
    assert support.broken() == []


def test_no_position_off_shift_and_no_nonsense_on_it() -> None:
    place = support.town()
    actor = support.courier(place)
    with pytest.raises(Refused, match="off_shift"):
        actions.report_position(actor=actor, lat=-30, lon=-51)
    actions.start_shift(actor=actor)
    for lat, lon in [(91, 0), (0, 181), (math.nan, 0), (0, math.inf)]:
        with pytest.raises(Refused, match="invalid"):
            actions.report_position(actor=actor, lat=lat, lon=lon)
    assert reads.me(actor).lat is None


def test_a_position_is_told_to_those_who_may_follow_and_kept_nowhere_else() -> None:
    place = support.town()
    actor = support.courier(place, 0)
    row = Delivery.objects.create(
        fulfilment_id=ids.new_id(),
        order_id=ids.new_id(),
        city_id=place.city_id,
        store_id=place.store.id,
        courier_id=actor.courier_id,
        status="accepted",
        lat=0,
        lon=0,
        promised_to=clock.now(),
        ready_by=clock.now(),
        created_at=clock.now(),
    )
    events = OutboxEvent.objects.count()
    with patch.object(outbox, "tell") as tell:
        actions.report_position(actor=actor, lat=-30.1, lon=-51.1)
        assert tell.call_args[0][0] == [f"courier:{actor.courier_id}", f"city:{place.city_id}"]
        Delivery.objects.filter(pk=row.pk).update(status="picked_up")
        actions.report_position(actor=actor, lat=-30.1, lon=-51.1)
    topics = tell.call_args[0][0]
    assert topics == [f"courier:{actor.courier_id}", f"city:{place.city_id}", f"order:{row.order_id}"]
    assert OutboxEvent.objects.count() == events
    with pytest.raises(Refused, match="tasks_in_hand"):
        actions.end_shift(actor=actor)
    Delivery.objects.filter(pk=row.pk).update(status="delivered")
    actions.end_shift(actor=actor)


def test_only_couriers() -> None:
    for actor in (NOBODY,):
        for act in (actions.start_shift, actions.end_shift):
            with pytest.raises(Refused, match="not_signed_in"):
                act(actor=actor)
        with pytest.raises(Refused, match="not_signed_in"):
            reads.me(actor)
    with pytest.raises(Refused, match="not_a_courier"):
        actions.start_shift(actor=THE_SYSTEM)


def test_a_dismissed_courier_may_do_nothing() -> None:
    actor = support.courier(support.town())
    Courier.objects.update(active=False)
    with pytest.raises(Refused, match="not_a_courier"):
        actions.start_shift(actor=actor)
    assert actor_of_user(actor.user_id).courier_id is None  # type: ignore[arg-type]


def test_earnings_are_the_ledgers_and_of_the_local_day() -> None:
    place = support.town()
    actor = support.courier(place)
    assert actor.courier_id is not None
    for hours, amount in ((0, 700), (1, 800), (20, 900)):
        with clock.frozen(support.NOON + timedelta(hours=hours)):
            ledger.post(
                key=f"pay:{hours}",
                kind="courier_pay",
                cause=ids.new_id(),
                actor=THE_SYSTEM,
                lines=[
                    (AccountRef(place.retailer_id, "courier_pay", "CNY"), amount),
                    (AccountRef(actor.courier_id, "courier_payable", "CNY"), -amount),
                ],
            )
    day = reads.earnings(actor, support.NOON.date())
    assert (day.total, day.count, day.currency) == (1500, 2, "CNY")
    assert reads.earnings(actor, support.NOON.date() + timedelta(days=1)).total == 900


def test_first_names() -> None:
    place = support.town()
    names = {}
    for name in ("王师傅", "Ana Lima", "", "李雷"):
        actor = support.courier(place, name=name)
        names[name] = reads.me(actor).first_name
    assert names == {"王师傅": "王师傅", "Ana Lima": "Ana", "": "", "李雷": "李师傅"}
