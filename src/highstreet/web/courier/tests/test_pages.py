"""The courier's screen: four big buttons, proof, incidents, and nothing of another's."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from highstreet.delivery.couriers import actions as couriers
from highstreet.delivery.couriers.models import Courier
from highstreet.delivery.dispatch import actions as dispatch
from highstreet.delivery.dispatch.models import Delivery
from highstreet.delivery.dispatch.states import MACHINE
from highstreet.kernel import clock, ids
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.kernel.states import move
from highstreet.supply.stores.models import Store
from highstreet.trade.fulfilment import actions as fulfilments
from highstreet.trade.fulfilment import reads
from highstreet.web.courier import proofs
from highstreet.web.store.tests import world
from highstreet.web.store.tests.world import World

pytestmark = pytest.mark.django_db

PNG = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")
BUDGET = {"/courier/": 15, "/courier/earnings": 9, "/courier/stops/{delivery}/incident": 14}


@dataclass
class Ride:
    world: World
    client: Client
    courier: UUID
    fulfilment: UUID
    delivery: UUID

    @property
    def stop(self) -> str:
        return f"/courier/stops/{ids.public('dlv', self.delivery)}"

    @property
    def code(self) -> str:
        return reads.detail(THE_SYSTEM, self.fulfilment).handover_code

    @property
    def status(self) -> str:
        return Delivery.objects.get(pk=self.delivery).status

    def screen(self) -> str:
        return words(self.client.get("/courier/"))

    def go(self, *steps: str) -> None:
        for name in steps:
            assert self.client.post(f"{self.stop}/step/{name}")["Location"] == "/courier/"


def words(response: Any) -> str:
    return str(response.content.decode())


def rider(made: World, name: str) -> tuple[Client, UUID]:
    user_id = world.user(name)
    courier = couriers.create(actor=THE_SYSTEM, user_id=user_id, city_id=made.city.pk, name="陈师傅", phone="1380000")
    return world.client_of(user_id), courier


def give(
    made: World,
    courier: UUID,
    *,
    packed: bool = True,
    seat: int = 0,
    window: tuple[datetime, datetime] | None = None,
    store: Store | None = None,
) -> tuple[UUID, UUID]:
    """An order in the courier's hands, offered but not accepted: (fulfilment, delivery)."""
    order = world.order(made, store=store, lines=[(0, 1)], window=window)
    fulfilments.accept(actor=THE_SYSTEM, fulfilment_id=order)
    view = reads.detail(THE_SYSTEM, order)
    delivery = dispatch.create(
        actor=THE_SYSTEM,
        fulfilment_id=order,
        order_id=view.order_id,
        order_number=view.order_number,
        store_id=view.store_id,
        lat=view.lat,
        lon=view.lon,
        promised_to=view.promised_to,
        ready_by=view.ready_by,
        not_before=view.not_before,
    )
    if packed:
        fulfilments.scan(actor=THE_SYSTEM, fulfilment_id=order, code="6920000000012")
        fulfilments.pack(actor=THE_SYSTEM, fulfilment_id=order)
        dispatch.mark_ready(actor=THE_SYSTEM, fulfilment_id=order, at=clock.now())
    with transaction.atomic():
        move(
            MACHINE,
            Delivery.objects.get(pk=delivery),
            "assign",
            actor="system",
            courier_id=courier,
            seat=seat,
            sequence=seat + 1,
            eta=clock.now() + timedelta(minutes=9),
        )
    return order, delivery


@pytest.fixture
def ride() -> Ride:
    made = world.build()
    client, courier = rider(made, "chen")
    client.post("/courier/shift", {"on": "1"})
    client.post("/courier/position", {"lat": "-30.03", "lon": "-51.22"})
    return Ride(made, client, courier, *give(made, courier))


def test_four_big_buttons(ride: Ride) -> None:
    for name, label in [("accept", "Accept"), ("arrive_store", "Arrived"), ("pick_up", "Picked up")]:
        text = ride.screen()
        assert text.count('id="go"') == 1 and f"/step/{name}" in text and label in text
        ride.go(name)
    assert ride.screen().count('id="go"') == 1
    assert ride.client.post(f"{ride.stop}/deliver", {"code": ride.code})["Location"] == "/courier/"
    assert ride.status == "delivered"
    assert "Nothing to bring right now" in ride.screen()
    assert "1 delivery" in words(ride.client.get("/courier/earnings"))


def test_one_ride_to_two_shops_shows_both_pick_ups_before_the_doors(ride: Ride) -> None:
    here, there = ride.world.store.name_en, ride.world.other.name_en
    _order, second = give(ride.world, ride.courier, seat=1, store=ride.world.other)
    for number, delivery in enumerate((ride.delivery, second), 1):
        Delivery.objects.filter(pk=delivery).update(pick=number, sequence=number + 2)

    def shown() -> list[str]:
        text = ride.screen()
        parts = re.findall(r'<span class="strong">(Pick up|Deliver) · ', text)
        return [re.findall(r'<h1 id="h-stop">(.*?)</h1>', text)[0], *parts]

    assert shown() == [here, "Pick up", "Deliver", "Deliver"]
    assert "Accept 2 orders" in ride.screen()
    ride.go("accept")
    assert Delivery.objects.get(pk=second).status == "accepted", "a ride is one thing to say yes to"
    ride.go("arrive_store", "pick_up")
    assert shown() == [there, "Deliver", "Deliver"]
    assert Delivery.objects.get(pk=second).status == "accepted", "of the other shop nothing was taken"


def test_the_next_ride_is_offered_as_one(ride: Ride) -> None:
    ride.go("accept", "arrive_store", "pick_up")
    later = [give(ride.world, ride.courier, seat=number, store=ride.world.other)[1] for number in (1, 2)]
    text = ride.screen()
    assert text.count("New: ") == 1 and text.count("/step/accept") == 1
    assert all(Delivery.objects.get(pk=one).order_number in text for one in later)
    ride.client.post(f"/courier/stops/{ids.public('dlv', later[0])}/step/accept")
    assert {Delivery.objects.get(pk=one).status for one in later} == {"accepted"} and "New: " not in ride.screen()


def test_two_packages_of_one_visit_take_one_tap_each_step(ride: Ride) -> None:
    _order, second = give(ride.world, ride.courier, seat=1)
    assert "Accept 2 orders" in ride.screen()
    ride.go("accept", "arrive_store", "pick_up")
    assert {row.status for row in Delivery.objects.filter(pk__in=[ride.delivery, second])} == {"picked_up"}


def test_wrong_code_keeps_what_was_typed(ride: Ride) -> None:
    ride.go("accept", "arrive_store", "pick_up")
    wrong = f"{(int(ride.code) + 1) % 10000:04d}"
    answer = ride.client.post(f"{ride.stop}/deliver", {"code": wrong})
    assert answer.status_code == 409 and f'value="{wrong}"' in words(answer)
    assert "not the customer" in words(answer)
    assert ride.client.post(f"{ride.stop}/deliver", {}).status_code == 422
    assert ride.status == "picked_up"


def test_photo_is_proof_if_it_is_one(ride: Ride) -> None:
    ride.go("accept", "arrive_store", "pick_up")
    for data in (
        b"GIF89a" + bytes(50),
        b"<svg onload=x>",
        b"",
        b"\xff\xd8\xff" + bytes(proofs.KEPT_BYTES),
        b"\x89PNG\r\n\x1a\n" + bytes(proofs.MAX_BYTES),
    ):
        photo = SimpleUploadedFile("door.png", data, content_type="image/png")
        assert ride.client.post(f"{ride.stop}/deliver", {"photo": photo}).status_code == 422
    photo = SimpleUploadedFile("door.txt", PNG, content_type="text/plain")
    assert ride.client.post(f"{ride.stop}/deliver", {"photo": photo}).status_code == 302
    row = Delivery.objects.get(pk=ride.delivery)
    assert (row.status, row.proof_kind) == ("delivered", "photo") and row.proof.startswith("data:image/png;base64,")


def test_too_early_is_refused_in_words(ride: Ride) -> None:
    _order, early = give(ride.world, ride.courier, packed=False, seat=1)
    url = f"/courier/stops/{ids.public('dlv', early)}/step/pick_up"
    ride.go("accept")
    answer = ride.client.post(url)
    assert answer.status_code == 409 and 'id="form-errors"' in words(answer)


def test_incident_is_confirmed_and_brought_back(ride: Ride) -> None:
    url = f"{ride.stop}/incident"
    assert "Nobody home" not in words(ride.client.get(url))
    ride.go("accept", "arrive_store", "pick_up")
    assert "Nobody home" in words(ride.client.get(url))
    assert ride.client.post(url, {"kind": "lunch"}).status_code == 422
    asked = ride.client.post(url, {"kind": "nobody_home"})
    assert asked.status_code == 200 and "Yes, report it" in words(asked) and ride.status == "picked_up"
    assert ride.client.post(url, {"kind": "nobody_home", "sure": "yes"}).status_code == 302
    assert ride.status == "failed" and "Given back to the store" in ride.screen()
    ride.go("give_back")
    assert ride.status == "returned"


def test_shift_ends_only_with_empty_hands(ride: Ride) -> None:
    answer = ride.client.post("/courier/shift", {"on": "0"})
    assert answer.status_code == 409 and "You still have 1 to bring" in words(answer)
    idle, courier = rider(ride.world, "idle")
    assert "Start shift" in words(idle.get("/courier/"))
    idle.post("/courier/shift", {"on": "1"})
    assert 'data-position="/courier/position"' in words(idle.get("/courier/"))
    idle.post("/courier/shift", {"on": "0"})
    assert "data-position" not in words(idle.get("/courier/"))
    assert Courier.objects.get(pk=courier).lat is None


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"lat": "-30.03", "lon": "-51.22"}, 204),
        ({"lat": "nan", "lon": "0"}, 422),
        ({"lat": "", "lon": ""}, 422),
        ({"lat": "91", "lon": "0"}, 422),
        ({"lat": "1e400", "lon": "0"}, 422),
        ({}, 422),
    ],
)
def test_position(ride: Ride, form: dict[str, str], status: int) -> None:
    assert ride.client.post("/courier/position", form).status_code == status


def test_position_off_shift_is_refused(ride: Ride) -> None:
    idle, _courier = rider(ride.world, "idle")
    assert idle.post("/courier/position", {"lat": "-30.03", "lon": "-51.22"}).status_code == 409


def test_another_couriers_stop_does_not_exist(ride: Ride) -> None:
    other, _courier = rider(ride.world, "other")
    for tail in ("/step/accept", "/step/pick_up", "/step/fly", "/deliver", "/incident"):
        assert other.post(ride.stop + tail, {"code": ride.code, "kind": "damaged"}).status_code == 404
    assert other.get(f"{ride.stop}/incident").status_code == 404
    assert ride.status == "assigned"


def test_who_may_come_in(ride: Ride) -> None:
    assert Client().get("/courier/").status_code == 302
    picker = world.person(ride.world, "picker", store=ride.world.store)
    assert picker.get("/courier/").status_code == 403
    assert ride.client.get("/store/").status_code == 403


@pytest.mark.parametrize("pattern", BUDGET)
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_page_in_both_languages(ride: Ride, pattern: str, language: str) -> None:
    url = pattern.format(delivery=ids.public("dlv", ride.delivery))
    response = ride.client.get(url, headers={"accept-language": language})
    text = words(response)
    assert response.status_code == 200 and "style=" not in text and "<h1" in text
    assert ("收入" in text) == (language == "zh-CN")


@pytest.mark.parametrize("pattern", BUDGET)
def test_query_budget(ride: Ride, pattern: str, django_assert_max_num_queries: object) -> None:
    url = pattern.format(delivery=ids.public("dlv", ride.delivery))
    ride.client.get(url)
    with django_assert_max_num_queries(BUDGET[pattern]):  # type: ignore[operator]
        ride.client.get(url)


def test_map_names_its_source_and_the_list_says_the_same(ride: Ride) -> None:
    text = ride.screen()
    assert "OpenStreetMap contributors" in text and "<polyline" in text and "Rua da Praia 12" in text


def test_fragment_for_htmx(ride: Ride) -> None:
    answer = ride.client.get("/courier/", headers={"hx-request": "true"})
    assert 'id="now"' in words(answer) and "<html" not in words(answer)


def test_what_is_packed_goes_although_its_neighbour_is_not(ride: Ride) -> None:
    _order, late = give(ride.world, ride.courier, packed=False, seat=1)
    ride.go("accept", "arrive_store")
    assert "Picked up" in ride.screen()
    ride.go("pick_up")
    assert ride.status == "picked_up" and Delivery.objects.get(pk=late).status == "at_store"


# Noon in the city; the shopper chose the hour from 12:40 on.
NOON = datetime(2026, 11, 26, 15, 0, tzinfo=UTC)
WINDOW = (NOON + timedelta(minutes=40), NOON + timedelta(minutes=100))


@pytest.fixture
def chosen() -> Iterator[Ride]:
    with clock.frozen(NOON):
        made = world.build()
        client, courier = rider(made, "chen")
        client.post("/courier/shift", {"on": "1"})
        client.post("/courier/position", {"lat": "-30.03", "lon": "-51.22"})
        yield Ride(made, client, courier, *give(made, courier, window=WINDOW))


def test_a_chosen_window_is_said_and_not_before_it(chosen: Ride) -> None:
    text = chosen.screen()
    assert "promised 12:40–13:40" in text and "promised by" not in text
    assert text.count("Not before 12:40") == 1, "its door comes after the store"
    chosen.go("accept", "arrive_store", "pick_up")
    text = chosen.screen()
    assert "promised 12:40–13:40" in text and text.count("Not before 12:40") == 1
    assert "60 min to spare" in text, "who is there early waits for the window"
    chinese = words(chosen.client.get("/courier/", headers={"accept-language": "zh-CN"}))
    assert "承诺 12:40–13:40 送到" in chinese and "12:40 之前不要送到" in chinese


def test_once_the_window_has_begun_nothing_holds_it_back(chosen: Ride) -> None:
    chosen.go("accept", "arrive_store", "pick_up")
    with clock.frozen(WINDOW[0] - timedelta(seconds=1)):
        assert "Not before" in chosen.screen()
    with clock.frozen(WINDOW[0]):
        text = chosen.screen()
    assert "Not before" not in text and "promised 12:40–13:40" in text


def test_without_a_window_a_time_is_promised(ride: Ride) -> None:
    ride.go("accept", "arrive_store", "pick_up")
    text = ride.screen()
    assert "promised by" in text and "Not before" not in text


def test_the_stops_ahead_name_their_windows(chosen: Ride) -> None:
    chosen.go("accept", "arrive_store", "pick_up")
    with clock.frozen(NOON):
        give(
            chosen.world,
            chosen.courier,
            seat=1,
            window=(WINDOW[0] + timedelta(hours=1), WINDOW[1] + timedelta(hours=1)),
        )
    text = chosen.screen()
    assert ">13:40–14:40<" in text and "Not before 13:40" in text


def test_tasks_over_http_tell_the_windows_beginning(chosen: Ride) -> None:
    give(chosen.world, chosen.courier, seat=1)
    stops = chosen.client.get("/api/v1/courier/tasks").json()["stops"]
    told = {job["id"]: job["not_before"] for stop in stops for job in stop["jobs"]}
    opens = told.pop(ids.public("dlv", chosen.delivery))
    assert datetime.fromisoformat(opens) == WINDOW[0] and list(told.values()) == [None]
