"""F1: whatever a program sends, the API answers as its document says; never a 5xx, never an answer of another form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Add
from tests.support import fuzz, world
from tests.support.stack import Stack
from tests.support.world import World

SEED = 20261126
# Who tries what in the fast variant: those whose work it is. The long one has everybody try everything.
WORK = {
    "": ["public"],
    "courier": ["courier.work", "shop.own"],
    "owner": [
        "fulfilment.read",
        "fulfilment.work",
        "keys.manage",
        "webhooks.manage",
        "privacy.serve",
        "console.read",
        "dispatch.override",
        "dispatch.replay",
        "couriers.plan",
    ],
}


@pytest.fixture(scope="module")
def place() -> Iterator[World]:
    with Stack(["web"], log_level="CRITICAL") as stack:
        made = world.build(stack)
        made.tokens["key"] = partner(made)
        yield made
        verdict = stack.audit()
        assert verdict.code == 0, verdict.broken


def partner(place: World) -> str:
    """A key that may do what a store does, and a webhook of the organisation."""
    wish = {"name": "till", "scopes": ["fulfilment.read", "fulfilment.work", "webhooks.manage"]}
    made = place.send("POST", "/partners/keys", who="owner", json=wish)
    assert made.status_code == 201, made.text
    # A public address, to which nothing is sent: no worker runs.
    wish = {"url": "https://1.1.1.1/hook", "events": ["order.paid"]}
    hook = place.send("POST", "/partners/webhooks", who="owner", json=wish)
    assert hook.status_code == 201, hook.text
    place.owned["webhook"] = hook.json()["id"]
    place.owned["/api/v1/partners/keys/{key} key"] = made.json()["id"]
    return str(made.json()["token"])


def document(place: World, *, real: bool) -> dict[str, Any]:
    known: dict[str, Any] = place.http.get("/openapi.json").json()
    if not real:
        return known
    order = {
        f"{path} key": place.victim.order["key"] for path in known["paths"] if path.startswith("/api/v1/orders/{order}")
    }
    cart = {"cart": place.victim.cart, "code": "porto-alegre"}
    return fuzz.inhabited(known, {**place.owned, **cart, **order})


def said(run: fuzz.Fuzzed) -> str:
    return "\n".join([*run.failures, run.text[-12_000:]])


@pytest.mark.parametrize("who", list(WORK), ids=lambda who: who or "guest")
def test_every_answer_is_documented(place: World, row: Add, who: str) -> None:
    known = document(place, real=True)
    mine = fuzz.operations_of(known, *WORK[who])
    token = place.tokens.get(who, "")
    run = fuzz.fuzz(place.stack, known, who=who, token=token, examples=1, seed=SEED, operations=mine, strict=True)
    row("F1", f"schemathesis, {who or 'guest'}, {run.operations} operations", n=run.cases, refused=0, seed=SEED)
    assert run.good, said(run)
    assert run.operations == len(mine)


def test_every_operation_is_tried_by_someone(place: World) -> None:
    known = document(place, real=False)
    everyone = [permission for work in WORK.values() for permission in work]
    assert len(fuzz.operations_of(known, *everyone)) == sum(len(methods) for methods in known["paths"].values())


@pytest.mark.long
@pytest.mark.parametrize("real", [True, False], ids=["things that exist", "anything"])
@pytest.mark.parametrize("who", ["", "owner", "courier", "key"], ids=lambda who: who or "guest")
def test_50_examples_of_every_operation(place: World, row: Add, who: str, real: bool) -> None:
    """Strict only by the document as it is: among things that exist, what is none of them may be right."""
    known = document(place, real=real)
    token = place.tokens.get(who, "")
    run = fuzz.fuzz(place.stack, known, who=f"{who}-{real}", token=token, examples=50, seed=SEED, strict=not real)
    what = "things that exist" if real else "anything"
    row("F1", f"schemathesis, {who or 'guest'}, {run.operations} operations, {what}", n=run.cases, refused=0, seed=SEED)
    assert run.good, said(run)
