"""From the event to the endpoint: signed, in order, tried again, given up, replayed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from highstreet.delivery.dispatch.events import DeliveryAssigned, DeliveryMoved
from highstreet.delivery.promise.events import PromiseBroken
from highstreet.growth.partners import actions, payloads, reads
from highstreet.growth.partners.models import Attempt, Endpoint, Message, Sending
from highstreet.growth.partners.tests.support import Receiver, open_at, receiving
from highstreet.kernel import clock, ids, outbox, privacy
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.kernel.refusal import Refused
from highstreet.people.accounts.reads import actor_of_user
from highstreet.trade.orders.events import OrderCompleted, OrderConfirmed, OrderPaid
from highstreet.trade.payments.events import RefundSettled
from highstreet.web.console.tests.support import Scene, a_scene, an_order

ALL = list(payloads.TYPES)


def owner(scene: Scene) -> Actor:
    return actor_of_user(scene.owner.pk)


def happen(*events: Any) -> None:
    """Emit, each in a transaction of its own, and have the outbox's own deliveries of ours run."""
    for event in events:
        with transaction.atomic():
            outbox.emit(event)
    told()


def told() -> None:
    from highstreet.kernel.models import OutboxDelivery

    mine = OutboxDelivery.objects.filter(done_at=None, handler="growth.partners.handlers.publish").order_by("id")
    for pk in list(mine.values_list("pk", flat=True)):
        outbox.deliver(pk)


def send_all(limit: int = 100) -> int:
    """What a worker would do with the jobs of everything that is due now; returns how many tries were made."""
    made = 0
    while made < limit:
        before = made
        for pk in Sending.objects.filter(status="waiting").order_by("-event").values_list("pk", flat=True):
            made += actions.send(actor=THE_SYSTEM, sending_id=pk) is not None
        if made == before:
            return made
    return made


def types(receiver: Receiver) -> list[str]:
    return [json.loads(heard.body)["type"] for heard in receiver.heard]


def verify(secret: str, headers: dict[str, str], body: bytes, now: float) -> Any:
    """The snippet of docs/partners.md, word for word."""
    if abs(now - int(headers["webhook-timestamp"])) > 300:
        raise ValueError("too old")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    right = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    if not any(hmac.compare_digest(right, one) for one in headers["webhook-signature"].split()):
        raise ValueError("wrong signature")
    return json.loads(body)


def test_every_kind_arrives_signed_with_public_ids(scene: Scene, receiver: Receiver) -> None:
    made = actions.add_endpoint(actor=owner(scene), place=open_at(receiver.url), events=ALL)
    order = an_order(scene)
    store, courier, delivery = scene.stores[0].pk, scene.couriers[0].pk, ids.new_id()
    happen(
        OrderPaid(order.pk, 1700),
        OrderConfirmed(order.pk, store, "delivery"),
        DeliveryAssigned(delivery, order.pk, store, courier, "2026-03-04T12:00:00+00:00"),
        DeliveryMoved(delivery, order.pk, store, courier, "picked_up", "2026-03-04T12:00:00+00:00"),
        OrderCompleted(order.pk, store),
        PromiseBroken(order.pk, store, 300, 500),
        RefundSettled(ids.new_id(), order.pk, 500),
    )
    assert send_all() == 7
    assert types(receiver) == [
        "order.paid",
        "order.confirmed",
        "delivery.assigned",
        "delivery.moved",
        "order.completed",
        "promise.broken",
        "refund.settled",
    ]
    for heard in receiver.heard:
        body = verify(made.secret, heard.headers, heard.body, clock.wall())
        assert set(body) == {"type", "timestamp", "data"}
        assert body["data"]["order"] == ids.public("ord", order.pk)
        assert body["data"]["number"] == order.number
        assert body["data"]["store"] == ids.public("str", store)
        assert str(courier) not in heard.body.decode() and str(order.pk) not in heard.body.decode()
        assert heard.headers["webhook-id"].startswith("evt_")
        with pytest.raises(ValueError):
            verify(made.secret, heard.headers, heard.body + b" ", clock.wall())
        with pytest.raises(ValueError):
            verify(made.secret, heard.headers, heard.body, clock.wall() + 301)
    assert len({heard.headers["webhook-id"] for heard in receiver.heard}) == 7


def test_only_what_was_asked_for_and_only_ones_own(scene: Scene, receiver: Receiver) -> None:
    other = a_scene("two")
    actions.add_endpoint(actor=owner(scene), place=open_at(receiver.url), events=["order.paid"])
    happen(
        OrderPaid(an_order(other).pk, 100),
        OrderCompleted(an_order(scene).pk, scene.stores[0].pk),
        OrderPaid(an_order(scene).pk, 200),
    )
    send_all()
    assert [json.loads(heard.body)["data"]["amount"] for heard in receiver.heard] == [200]
    assert Message.objects.count() == 1
    assert reads.endpoints(owner(other)) == []


def test_without_endpoints_an_event_costs_one_query_of_ours(scene: Scene) -> None:
    order = an_order(scene)
    with transaction.atomic():
        outbox.emit(OrderPaid(order.pk, 1))
    with CaptureQueriesContext(connection) as seen:
        told()
    ours = [query["sql"] for query in seen if "partners_" in query["sql"] and "outbox" not in query["sql"]]
    assert len(ours) == 1
    assert not Message.objects.exists()


def test_a_franchisees_store_tells_both(scene: Scene, receiver: Receiver) -> None:
    other = a_scene("two")
    store = scene.stores[0]
    store.organisation = other.city.retailer
    store.save()
    for boss in (owner(scene), owner(other)):
        actions.add_endpoint(actor=boss, place=open_at(receiver.url), events=["order.paid"])
    happen(OrderPaid(an_order(scene).pk, 100))
    assert send_all() == 2
    assert len({heard.headers["webhook-id"] for heard in receiver.heard}) == 2


def test_a_failing_one_blocks_only_its_own_order(scene: Scene, receiver: Receiver) -> None:
    actions.add_endpoint(actor=owner(scene), place=open_at(receiver.url), events=ALL)
    stuck, free, store = an_order(scene), an_order(scene), scene.stores[0].pk
    receiver.answers = [(500, b"<b>no</b>" * 100, {})]
    happen(OrderPaid(stuck.pk, 1))
    send_all()
    happen(OrderConfirmed(stuck.pk, store, "delivery"), OrderPaid(free.pk, 2), OrderConfirmed(free.pk, store, "pickup"))
    send_all()
    assert [json.loads(heard.body)["data"]["number"] for heard in receiver.heard] == [
        stuck.number,
        free.number,
        free.number,
    ]
    with clock.advanced(timedelta(seconds=7)):
        send_all()
    assert types(receiver)[3:] == ["order.paid", "order.confirmed"]
    assert receiver.heard[0].headers["webhook-id"] == receiver.heard[3].headers["webhook-id"]
    first = Attempt.objects.order_by("at").first()
    assert first is not None and (first.status, len(first.answer)) == (500, 500)


def test_an_event_still_on_its_way_to_us_holds_back_the_later_one(scene: Scene, receiver: Receiver) -> None:
    """Two workers may handle two events in either order; what goes out is in the order of what happened."""
    from highstreet.kernel.models import OutboxDelivery

    actions.add_endpoint(actor=owner(scene), place=open_at(receiver.url), events=ALL)
    order = an_order(scene)
    with transaction.atomic():
        outbox.emit(OrderPaid(order.pk, 1))
        outbox.emit(OrderConfirmed(order.pk, scene.stores[0].pk, "delivery"))
    mine = OutboxDelivery.objects.filter(done_at=None, handler="growth.partners.handlers.publish").order_by("id")
    first, second = mine.values_list("pk", flat=True)
    outbox.deliver(second)
    assert send_all() == 0
    outbox.deliver(first)
    assert send_all() == 2
    assert types(receiver) == ["order.paid", "order.confirmed"]


def test_the_tries_follow_the_schedule_and_end(scene: Scene, settings: Any) -> None:
    settings.DEV = True
    with receiving() as nobody:
        url = nobody.url
    made = actions.add_endpoint(actor=owner(scene), place=open_at(url), events=ALL).id
    order, start = an_order(scene), clock.now()
    times = []
    with clock.frozen(start):
        happen(OrderPaid(order.pk, 1))
    at = start
    for _ in range(12):
        with clock.frozen(at):
            if send_all() == 0:
                break
        times.append(at)
        row = Sending.objects.get()
        at = row.next_at
    assert len(times) == 10
    waits = [(later - sooner).total_seconds() for sooner, later in pairwise(times)]
    for wait, wanted in zip(waits, [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400], strict=True):
        assert wanted <= wait < wanted * 1.2
    assert Sending.objects.get().status == "failed"
    assert set(Attempt.objects.values_list("error", flat=True)) == {"connection"}
    assert Endpoint.objects.get(pk=made).active


def test_five_days_of_failure_switch_it_off_and_one_success_forgives(scene: Scene, receiver: Receiver) -> None:
    made = actions.add_endpoint(actor=owner(scene), place=open_at(receiver.url), events=ALL)
    start = clock.now()
    receiver.answers = [(503, b"", {})]
    one_more(scene, start)
    assert Endpoint.objects.get().failing_since == start
    one_more(scene, start + timedelta(days=4))
    assert Endpoint.objects.get().failing_since is None
    receiver.answers = [(503, b"", {})] * 9
    later = start + timedelta(days=4, minutes=1)
    one_more(scene, later)
    assert Endpoint.objects.get().active
    one_more(scene, later + timedelta(days=5))
    row = Endpoint.objects.get()
    assert (row.active, row.disabled_reason) == (False, "failing")
    assert [view.id for view in reads.switched_off(owner(scene))] == [made.id]
    heard = len(receiver.heard)
    one_more(scene, later + timedelta(days=6))
    assert len(receiver.heard) == heard


def test_gone_is_believed_at_once_and_nothing_is_lost(scene: Scene, receiver: Receiver) -> None:
    made = actions.add_endpoint(actor=owner(scene), place=open_at(receiver.url), events=ALL)
    receiver.answers = [(410, b"gone", {})]
    happen(OrderPaid(an_order(scene).pk, 1))
    send_all()
    assert Endpoint.objects.get().disabled_reason == "gone"
    last = Message.objects.get()
    happen(OrderPaid(an_order(scene).pk, 2), OrderPaid(an_order(scene).pk, 3))
    assert send_all() == 0
    with pytest.raises(Refused) as off:
        actions.replay(actor=owner(scene), endpoint_id=made.id, after=None)
    assert off.value.reason.code == "endpoint_off"
    actions.change_endpoint(actor=owner(scene), endpoint_id=made.id, active=True)
    assert actions.replay(actor=owner(scene), endpoint_id=made.id, after=last.pk) == 2
    send_all()
    assert sorted(json.loads(heard.body)["data"]["amount"] for heard in receiver.heard) == [1, 2, 3]
    assert actions.replay(actor=owner(scene), endpoint_id=made.id, after=None) == 3
    send_all()
    assert len(receiver.heard) == 6


def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(scene: Scene, receiver: Receiver) -> None:
    old = actions.add_endpoint(actor=owner(scene), place=open_at(receiver.url), events=ALL)
    new = actions.rotate_secret(actor=owner(scene), endpoint_id=old.id)
    assert old.secret != new.secret
    start = clock.now()
    for hours, good in ((0, [old, new]), (23, [old, new]), (25, [new])):
        one_more(scene, start + timedelta(hours=hours))
        heard = receiver.heard[-1]
        assert len(heard.headers["webhook-signature"].split()) == len(good)
        for one in good:
            verify(one.secret, heard.headers, heard.body, clock.wall())
    with pytest.raises(ValueError):
        verify(old.secret, receiver.heard[-1].headers, receiver.heard[-1].body, clock.wall())
    kept = json.dumps(list(Endpoint.objects.values()), default=str)
    assert old.secret not in kept and new.secret not in kept


def test_resending_sends_the_same_message_again(scene: Scene, receiver: Receiver) -> None:
    made = actions.add_endpoint(actor=owner(scene), place=open_at(receiver.url), events=ALL)
    happen(OrderPaid(an_order(scene).pk, 1))
    send_all()
    sending = Sending.objects.get()
    actions.resend(actor=owner(scene), endpoint_id=made.id, sending_id=sending.pk)
    assert send_all() == 1
    assert receiver.heard[0].headers["webhook-id"] == receiver.heard[1].headers["webhook-id"]
    with pytest.raises(Refused):
        actions.resend(actor=owner(a_scene("two")), endpoint_id=made.id, sending_id=sending.pk)
    log, more = reads.sendings(owner(scene), made.id)
    assert (len(log), len(log[0].tries), more) == (1, 2, "")


def test_a_target_that_turned_private_is_not_called(scene: Scene, receiver: Receiver, settings: Any) -> None:
    actions.add_endpoint(actor=owner(scene), place=open_at(receiver.url), events=ALL)
    settings.DEV = False
    happen(OrderPaid(an_order(scene).pk, 1))
    assert send_all() == 1
    assert (receiver.connections, Attempt.objects.get().error) == (0, "scheme")
    with pytest.raises(Refused) as barred:
        place = actions.look_up(actor=owner(scene), url=receiver.url)
        actions.add_endpoint(actor=owner(scene), place=place, events=ALL)
    assert barred.value.reason.code == "target_barred"


def test_two_workers_send_it_once(scene: Scene, receiver: Receiver) -> None:
    """A claim is taken once; one that was lost with its worker is taken again when it has run out."""
    from highstreet.growth.partners.actions.sending import _claim

    actions.add_endpoint(actor=owner(scene), place=open_at(receiver.url), events=ALL)
    happen(OrderPaid(an_order(scene).pk, 1))
    pk = Sending.objects.get().pk
    assert _claim(pk) and not _claim(pk)
    assert actions.sweep(actor=THE_SYSTEM) == 0
    with clock.advanced(timedelta(seconds=41)):
        assert actions.sweep(actor=THE_SYSTEM) == 1
        assert send_all() == 1


def test_an_endpoint_is_sent_four_at_once_at_most(scene: Scene, receiver: Receiver) -> None:
    from highstreet.growth.partners.actions.sending import _claim

    actions.add_endpoint(actor=owner(scene), place=open_at(receiver.url), events=ALL)
    happen(*(OrderPaid(an_order(scene).pk, 1) for _ in range(6)))
    claimed = [_claim(pk) is not None for pk in Sending.objects.values_list("pk", flat=True)]
    assert sorted(claimed) == [False, False, True, True, True, True]


def test_old_messages_are_forgotten(scene: Scene, receiver: Receiver) -> None:
    actions.add_endpoint(actor=owner(scene), place=open_at(receiver.url), events=ALL)
    happen(OrderPaid(an_order(scene).pk, 1))
    send_all()
    with clock.advanced(timedelta(days=31)):
        gone = privacy.enforce()
    assert {gone[f"partners_{name}"] for name in ("message", "sending", "attempt")} == {1}
    assert not Attempt.objects.exists()


def one_more(scene: Scene, at: datetime) -> None:
    with clock.frozen(at):
        happen(OrderPaid(an_order(scene).pk, 1))
        send_all()
