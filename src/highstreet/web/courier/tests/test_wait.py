"""Without work the page says where the next order will come from."""

from __future__ import annotations

import pytest
from django.test import Client

from highstreet.delivery.dispatch.models import WaitingPlace
from highstreet.kernel import clock
from highstreet.web.store.tests import world

from .test_pages import give, rider, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def made() -> world.World:
    return world.build()


@pytest.fixture
def waiting(made: world.World) -> tuple[Client, world.World]:
    """A courier on shift, asked to wait at the first store."""
    client, courier = rider(made, "chen")
    client.post("/courier/shift", {"on": "1"})
    client.post("/courier/position", {"lat": "-30.03", "lon": "-51.20"})
    WaitingPlace.objects.create(courier_id=courier, store=made.store, at=clock.now())
    return client, made


def test_it_names_the_store_and_how_far_it_is(waiting: tuple[Client, world.World]) -> None:
    client, made = waiting
    text = words(client.get("/courier/", headers={"Accept-Language": "en"}))
    assert f"Most will soon come from {made.store.name_en}" in text
    assert 'id="wait"' in text and " km" in text


def test_in_chinese(waiting: tuple[Client, world.World]) -> None:
    client, made = waiting
    text = words(client.get("/courier/", headers={"Accept-Language": "zh-hans"}))
    assert f"接下来{made.store.name_zh}的单最多" in text


def test_not_on_a_break_nor_with_work_in_hand(made: world.World, waiting: tuple[Client, world.World]) -> None:
    client, _ = waiting
    client.post("/courier/break", {"on": "1"})
    assert 'id="wait"' not in words(client.get("/courier/"))
    client.post("/courier/break", {"on": "0"})
    assert 'id="wait"' in words(client.get("/courier/"))
    give(made, WaitingPlace.objects.get().courier_id)
    assert 'id="wait"' not in words(client.get("/courier/"))
