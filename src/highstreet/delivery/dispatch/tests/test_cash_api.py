"""Cash at the door through the API: the courier's app and a store's till, once for a key, clear refusals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from highstreet.delivery.couriers.models import CashHandIn
from highstreet.delivery.couriers.tests import support
from highstreet.kernel import ids
from highstreet.kernel.policy import Actor
from highstreet.people.accounts.models import User
from highstreet.people.accounts.reads import actor_of_user
from highstreet.people.staff.models import Employee

from .cash import no_orders, owing, to_the_door
from .test_api import Phone

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with support.ticking(), no_orders():
        yield


def picker(place: support.Town) -> Actor:
    """Somebody of the first store, signed in like anybody else."""
    user = User.objects.create(username=ids.random_token(10))
    Employee.objects.create(
        user=user, organisation_id=place.retailer_id, name="Pia", role="picker", store_id=place.store.id
    )
    return actor_of_user(user.pk)


def test_from_the_door_into_the_till() -> None:
    place = support.town()
    rider = support.courier(place, 100)
    row = owing(place, 1680)
    to_the_door(place, rider, row)
    phone, path = Phone(rider), f"/deliveries/{ids.public('dlv', row.pk)}/deliver"
    (stop,) = phone.send("GET", "/courier/tasks").json()["stops"]
    assert stop["jobs"][0]["cash"] == 1680
    proof = {"proof_kind": "code", "proof": "4711"}
    for said in ({}, {"cash": 1679}):
        refused = phone.send("POST", path, proof | said)
        assert (refused.status_code, refused.json()["type"], refused.json()["facts"]["amount"]) == (
            409,
            "cash_changed",
            1680,
        )
    for bad in (-1, 1.5, "1680", True, 10**20):
        assert phone.send("POST", path, proof | {"cash": bad}).status_code == 422
    first, again = (phone.send("POST", path, proof | {"cash": 1680}, key="k") for _ in range(2))
    assert first.status_code == 200 and first.json() == again.json()
    mine = phone.send("GET", "/courier/cash").json()
    assert (mine["in_hand"], mine["most"], mine["currency"], mine["hand_ins"]) == (1680, 200_000, "CNY", [])

    till, where = Phone(picker(place)), f"/stores/{ids.public('str', place.store.id)}/cash"
    assert rider.courier_id is not None
    code = ids.public("cou", rider.courier_id)
    (one,) = till.send("GET", where).json()["couriers"]
    assert (one["courier"], one["in_hand"]) == (code, 1680)
    more = till.send("POST", where, {"courier": code, "amount": 1681})
    assert (more.status_code, more.json()["type"], more.json()["facts"]["in_hand"]) == (
        409,
        "not_so_much_in_hand",
        1680,
    )
    first, again = (till.send("POST", where, {"courier": code, "amount": 1000}, key="t") for _ in range(2))
    assert first.status_code == 201 and first.json() == again.json() and first.json()["left"] == 680
    assert till.send("POST", where, {"courier": code, "amount": 1}, key="t").status_code == 422
    assert till.send("POST", where, {"courier": code, "amount": 1}, key="").status_code == 422
    assert CashHandIn.objects.count() == 1
    told = phone.send("GET", "/courier/cash").json()
    assert told["in_hand"] == 680 and [one["amount"] for one in told["hand_ins"]] == [1000]
    assert phone.send("GET", where).status_code == 403 and till.send("GET", "/courier/cash").status_code == 403


def test_not_paid_on_the_phone() -> None:
    place = support.town()
    rider = support.courier(place, 100)
    row = owing(place, 1680)
    to_the_door(place, rider, row)
    answer = Phone(rider).send("POST", f"/deliveries/{ids.public('dlv', row.pk)}/incident", {"kind": "not_paid"})
    assert (answer.status_code, answer.json()["status"]) == (200, "failed")
