"""The door that fleets knock at: kept and answered, or 401 in one wording; never a 5xx."""

from __future__ import annotations

import random

import pytest
from django.test import Client

from highstreet.delivery.couriers.tests import support as places
from highstreet.kernel import ids
from highstreet.kernel.policy import THE_SYSTEM

from .. import actions
from ..dialects import sealed
from ..models import Fleet, FleetAlert, FleetEvent, FleetOrder
from ..providers import MOST_BODY, Called, Forged
from ..steps import provider_of
from .support import WECHAT_SECRETS, meituan_callback, wechat_callback
from .test_dialects import forgeries
from .test_sequences import a_delivery, a_fleet

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"


def address(fleet: Fleet) -> str:
    return f"/api/v1/fleets/{ids.public('flt', fleet.pk)}/notify"


def send(fleet: Fleet, called: Called) -> tuple[int, bytes]:
    media = FORM if fleet.provider == "meituan" else "application/json"
    http = Client(raise_request_exception=False)
    answer = http.generic("POST", address(fleet), called.body, media, query_params=dict(called.query))
    return answer.status_code, answer.content


def test_a_callback_is_kept_and_answered_in_the_fleets_words() -> None:
    place = places.town()
    meituan, wechat = a_fleet(place, "meituan"), None
    _, order = a_delivery(place)
    for _ in range(3):
        assert send(meituan, meituan_callback(order.number, "20")) == (200, b'{"code":0}')
    assert FleetEvent.objects.count() == 1
    other = places.town()
    wechat = a_fleet(other, "wechat")
    _, order = a_delivery(other)
    assert send(wechat, wechat_callback(order.number, "102")) == (200, b"success")
    assert send(wechat, wechat_callback(order.number, "987654321")) == (200, b"success"), "nothing unknown is a 500"
    assert send(wechat, wechat_callback(order.number, "302", event="other")) == (200, b"success")
    assert FleetEvent.objects.filter(fleet=wechat).count() == 2, "what is not about deliveries is not kept"
    for event in FleetEvent.objects.filter(applied_at=None):
        actions.apply_event(actor=THE_SYSTEM, event_id=event.pk)
    assert FleetAlert.objects.get().kind == "code_unknown"


def test_forgeries_are_401_in_one_wording() -> None:
    fleets = {"Wechat": a_fleet(places.town(), "wechat"), "Meituan": a_fleet(places.town(), "meituan")}
    answers, refused = set(), 0
    for _, speaker, called in forgeries(random.Random(20261127)):
        fleet = fleets[type(speaker).__name__]
        try:
            provider_of(fleet).verify(called)
        except Forged:
            status, body = send(fleet, called)
            answers.add((status, body))
            refused += 1
    assert refused > 80 and len(answers) == 1
    ((status, body),) = answers
    assert status == 401 and b"fleet_not_believed" in body
    nobody = Client().post("/api/v1/fleets/flt_nothing/notify", b"x", content_type=FORM)
    assert (nobody.status_code, nobody.content) == (status, body), "nor is it told which fleets there are"
    assert not FleetEvent.objects.exists() and FleetOrder.objects.count() == 0


def test_a_genuine_word_of_another_account_is_none() -> None:
    """Each address has secrets of its own; what is genuine at one is forged at the other."""
    meituan, wechat = a_fleet(places.town(), "meituan"), a_fleet(places.town(), "wechat")
    assert send(wechat, meituan_callback("flo_1", "50"))[0] == 401
    assert send(meituan, wechat_callback("flo_1", "302"))[0] == 401


def test_what_is_too_large_is_not_read() -> None:
    fleet = a_fleet(places.town(), "meituan")
    assert send(fleet, Called({}, b"a=" + b"x" * MOST_BODY))[0] == 413


def test_a_fleet_that_is_switched_off_still_brings_what_it_has() -> None:
    place = places.town()
    fleet = a_fleet(place, "meituan")
    delivery, order = a_delivery(place)
    Fleet.objects.filter(pk=fleet.pk).update(active=False)
    assert send(fleet, meituan_callback(order.number, "50"))[0] == 200
    actions.apply_event(actor=THE_SYSTEM, event_id=FleetEvent.objects.get().pk)
    delivery.refresh_from_db()
    assert delivery.status == "delivered"


def test_the_address_is_shown_to_be_ours() -> None:
    fleet = a_fleet(places.town(), "wechat")
    query = {"timestamp": "1714036504", "nonce": "1514711492", "echostr": "4375120948345356249"}
    right = sealed.signature(WECHAT_SECRETS["token"], query["timestamp"], query["nonce"])
    answer = Client().get(address(fleet), {**query, "signature": right})
    assert (answer.status_code, answer.content) == (200, b"4375120948345356249")
    assert Client().get(address(fleet), {**query, "signature": "x"}).status_code == 401
