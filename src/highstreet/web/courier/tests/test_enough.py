"""Saying no, saying enough, and finding the way."""

from __future__ import annotations

import pytest

from highstreet.delivery.dispatch.models import Delivery
from highstreet.kernel import ids

from .test_pages import Ride, give, ride, words

pytestmark = pytest.mark.django_db
__all__ = ["ride"]


def test_the_phones_own_navigation_opens_at_the_stop(ride: Ride) -> None:
    at = f"{ride.world.store.lat:.6f},{ride.world.store.lon:.6f}"
    assert f'href="geo:{at}?q={at}(' in ride.screen()
    apple = words(ride.client.get("/courier/", headers={"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0)"}))
    assert f'href="https://maps.apple.com/?daddr={at}"' in apple


def test_what_is_not_wanted_goes_to_somebody_else(ride: Ride) -> None:
    text = ride.screen()
    assert "/step/decline" in text and "Not this one" in text
    ride.go("decline")
    assert ride.status == "waiting" and "Nothing to bring right now" in ride.screen()


def test_a_ride_is_left_as_one(ride: Ride) -> None:
    ride.go("accept", "arrive_store", "pick_up")
    later = [give(ride.world, ride.courier, seat=number, store=ride.world.other)[1] for number in (1, 2)]
    assert ride.screen().count("/step/decline") == 1
    ride.client.post(f"/courier/stops/{ids.public('dlv', later[0])}/step/decline")
    assert {Delivery.objects.get(pk=one).status for one in later} == {"waiting"}
    assert ride.status == "picked_up"


def test_no_more_after_these_and_orders_again(ride: Ride) -> None:
    ride.client.post("/courier/last-order", {"on": "1"})
    text = ride.screen()
    assert "These are your last" in text and 'id="orders-off"' not in text
    ride.go("decline")
    text = ride.screen()
    assert "No more orders for you" in text and 'id="shift-off"' in text and 'id="wait"' not in text
    ride.client.post("/courier/last-order", {"on": "0"})
    assert "Nothing to bring right now" in ride.screen()
    ride.client.post("/courier/shift", {"on": "0"})
    answer = ride.client.post("/courier/last-order", {"on": "1"})
    assert answer.status_code == 409 and "Start your shift first" in words(answer)
