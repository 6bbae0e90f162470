"""What the store sees of the courier who comes for its bag."""

from __future__ import annotations

import re

import pytest

from highstreet.kernel import ids
from highstreet.web.store.tests import world

from .test_pages import Ride, give, rider, words

pytestmark = pytest.mark.django_db


def test_the_store_sees_who_comes_and_who_is_there() -> None:
    made = world.build()
    client, courier = rider(made, "chen")
    client.post("/courier/shift", {"on": "1"})
    client.post("/courier/position", {"lat": "-30.03", "lon": "-51.22"})
    ride = Ride(made, client, courier, *give(made, courier))
    picker = world.person(made, "picker", store=made.store)
    base = f"/store/{ids.public('str', made.store.pk)}"
    pages = f"{base}/", f"{base}/orders/{ids.public('ful', ride.fulfilment)}"

    def seen(language: str = "en") -> list[str]:
        return [words(picker.get(page, headers={"Accept-Language": language})) for page in pages]

    queue, order = seen()
    assert "Waits for the courier" in queue and "No courier has taken it yet" in order
    assert not any("陈师傅" in page for page in seen())
    ride.go("accept")
    assert all(re.search(r"陈师傅 in about \d min", page) for page in seen())
    assert all(re.search(r"陈师傅约 \d 分钟后到", page) for page in seen("zh-hans"))
    ride.go("arrive_store")
    assert all("陈师傅 is here" in page for page in seen())
    assert all("陈师傅已到店" in page for page in seen("zh-hans"))
    (item,) = picker.get("/api/v1/store/queue", {"store": ids.public("str", made.store.pk)}).json()["items"]
    assert item["courier"] == {"name": "陈师傅", "phone_tail": "", "here": True, "arrives": None}
    ride.go("pick_up")
    assert not any("陈师傅 is" in page for page in seen())


def test_one_who_waits_while_it_is_packed_stands_out() -> None:
    made = world.build()
    client, courier = rider(made, "chen")
    client.post("/courier/shift", {"on": "1"})
    client.post("/courier/position", {"lat": "-30.03", "lon": "-51.22"})
    ride = Ride(made, client, courier, *give(made, courier, packed=False))
    ride.go("accept", "arrive_store")
    picker = world.person(made, "picker", store=made.store)
    base = f"/store/{ids.public('str', made.store.pk)}"
    page = words(picker.get(f"{base}/"))
    assert '<p class="row strong">' in page and "陈师傅 is here" in page
    order = f"{base}/orders/{ids.public('ful', ride.fulfilment)}"
    assert "陈师傅 is here" in words(picker.get(order)), "whoever picks it sees it, too"
    part = words(picker.get(order, {"part": "comes"}, headers={"HX-Request": "true"}))
    assert "陈师傅 is here" in part and "<h1" not in part and "part=comes" in part
