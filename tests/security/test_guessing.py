"""A7: known and unknown look alike, and nobody guesses for long; and nobody locks somebody else out for good."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.core.cache import cache
from django.db.models import F
from django.test import Client

from highstreet.kernel import clock, guesses, ids
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.people.accounts.actions import issue_token
from highstreet.people.accounts.tests.support import (
    PASSWORD,
    a_user,
    code_of,
    enrol,
    inside,
    typed,
    within_a_half_minute,
    wrong_code,
)
from highstreet.web.console.tests.support import a_scene, an_order
from tests.conftest import Add
from tests.support.guessing import apart, at_once, best, counted_after, medians, sign_in

SEED = 20261126
HERE, THERE = "203.0.113.1", "198.51.100.7"
TRIES = [pytest.param(40, id="40"), pytest.param(1000, id="1000", marks=pytest.mark.long)]
ROUNDS = [pytest.param(30, id="30"), pytest.param(200, id="200", marks=pytest.mark.long)]


@pytest.fixture(autouse=True)
def _nothing_tried_yet(settings: Any) -> None:
    cache.clear()
    settings.ACCOUNT_RATE_LIMITS = False
    settings.PASSWORD_HASHERS = ["tests.support.guessing.FewRounds"]


def login_page(name: str, password: str) -> Any:
    return Client().post("/accounts/login/", {"login": name, "password": password})


def reset_page(address: str) -> Any:
    return Client().post("/accounts/password/reset/", {"email": address})


@pytest.mark.django_db
@pytest.mark.parametrize("n", ROUNDS)
def test_known_and_unknown_names_take_alike(row: Add, settings: Any, n: int) -> None:
    user = a_user("known")
    user.email = "known@example.org"
    user.save()
    ways = {
        "API": (lambda _at: sign_in("known", "x"), lambda at: sign_in(f"nobody{at}", "x")),
        "page": (lambda _at: login_page("known", "x"), lambda at: login_page(f"nobody{at}", "x")),
        "reset": (lambda _at: reset_page("known@example.org"), lambda at: reset_page(f"nobody{at}@example.org")),
    }
    said = {name: best(known, unknown, n) for name, (known, unknown) in ways.items()}
    for name, both in said.items():
        row(
            "A7",
            f"{name}: known {both[0]:.1f} ms, unknown {both[1]:.1f} ms of CPU (medians)",
            n=2 * n,
            invariants=f"{apart(both):.1%} apart",
            seed=SEED,
        )
    assert {name: apart(both) < 0.10 for name, both in said.items()} == dict.fromkeys(ways, True), said
    # The negative control: who does not hash for an unknown name is told apart.
    settings.AUTHENTICATION_BACKENDS = ["tests.support.guessing.Hasty"]
    assert apart(medians(*ways["API"], 8)) > 0.10


@pytest.mark.django_db
def test_known_and_unknown_names_are_answered_alike() -> None:
    user = a_user("known")
    user.email = "known@example.org"
    user.save()
    known, unknown = sign_in("known", "x"), sign_in("nobody", "x")
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())
    pages = [login_page(name, "x").content.decode().replace(name, "") for name in ("known", "nobody")]
    assert plain(pages[0]) == plain(pages[1])
    resets = [reset_page(address) for address in ("known@example.org", "nobody@example.org")]
    assert [(one.status_code, one["Location"]) for one in resets] == [(302, "/accounts/password/reset/done/")] * 2


def plain(page: str) -> str:
    """A page without its CSRF tokens."""
    return "\n".join(line for line in page.splitlines() if "csrf" not in line)


@pytest.mark.django_db
@pytest.mark.parametrize("n", TRIES)
def test_passwords_are_locked_for_who_guesses_and_for_nobody_else(row: Add, settings: Any, n: int) -> None:
    settings.AXES_ENABLED = True
    a_user("victim")
    seen: Counter[int] = Counter()
    for at in range(n):
        page = at % 2 == 1
        answer = login_page_from(HERE, f"guess {at}") if page else sign_in("victim", f"guess {at}", address=HERE)
        seen[429 if answer.status_code == 429 else 401] += 1
    row("A7", "passwords guessed at the page and the API by turns", n=n, accepted=0, refused=seen[429], seed=SEED)
    assert seen[401] <= 10 and seen[401] + seen[429] == n
    # Right, but from where it was guessed; then from where the victim is.
    assert sign_in("victim", PASSWORD, address=HERE).status_code == 429
    assert sign_in("victim", PASSWORD, address=THERE).status_code == 201
    # A quarter of an hour after the tenth guess it is over, though guessing never stopped.
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=16))
    assert sign_in("victim", PASSWORD, address=HERE).status_code == 201


def login_page_from(address: str, password: str) -> Any:
    form = {"login": "victim", "password": password}
    return Client().post("/accounts/login/", form, REMOTE_ADDR=address)


@pytest.mark.django_db
@pytest.mark.parametrize("n", TRIES)
def test_codes_of_the_second_factor_are_locked(row: Add, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    within_a_half_minute(monkeypatch)
    user = a_user("victim")
    secret = enrol(user)
    signed_in = typed("victim")
    signed_in.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    half = typed("victim")
    seen: Counter[str] = Counter()
    for at in range(n):
        if at % 2:
            page = half.post("/accounts/2fa/authenticate/", {"code": wrong_code(secret)}).content.decode()
            seen["too_many_tries" if "Too many tries" in page else "wrong_code"] += 1
        else:
            seen[sign_in("victim", PASSWORD, code=wrong_code(secret)).json()["type"]] += 1
    row(
        "A7",
        "codes guessed at the page and the API by turns",
        n=n,
        accepted=0,
        refused=seen["too_many_tries"],
        seed=SEED,
    )
    assert seen["wrong_code"] <= 10 and sum(seen.values()) == n, seen
    assert sign_in("victim", PASSWORD, code=code_of(secret, later=1)).status_code in (401, 429)
    # Where the person is signed in already, they stay so; and it ends by itself.
    assert inside(signed_in)
    cache.clear()
    with clock.advanced(timedelta(minutes=16)):
        assert sign_in("victim", PASSWORD, code=code_of(secret)).status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize("n", TRIES)
def test_pickup_codes_are_locked(row: Add, n: int) -> None:
    scene = a_scene()
    an_order(scene, status="ready", mode="pickup")
    token = issue_token(actor=THE_SYSTEM, user_id=scene.picker.pk)
    store = ids.public("str", scene.stores[0].pk)
    seen: Counter[str] = Counter()
    for at in range(n):
        answer = Client().post(
            "/api/v1/store/collect",
            json.dumps({"store": store, "code": f"{at:08d}"}),
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": ids.random_token(12)},
        )
        seen[answer.json().get("type", "200")] += 1
    row("A7", "pickup codes guessed by a member of staff", n=n, accepted=0, refused=seen["too_many_tries"], seed=SEED)
    assert seen == {"pickup_code_unknown": 10, "too_many_tries": n - 10}
    browser = Client()
    browser.force_login(scene.picker, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get(f"/store/{store}/collect?code=00000000").status_code == 429


@pytest.mark.django_db
@pytest.mark.parametrize("n", TRIES)
def test_order_keys_are_locked_but_ones_own_still_opens(row: Add, settings: Any, n: int) -> None:
    settings.RATE = "1000000"
    scene = a_scene()
    order = an_order(scene)
    where = f"/api/v1/orders/{ids.public('ord', order.pk)}"
    seen: Counter[int] = Counter()
    for at in range(n):
        path = f"{where}?key={ids.random_token(32)}" if at % 2 else f"/o/{ids.random_token(32)}"
        seen[Client().get(path, REMOTE_ADDR=HERE).status_code] += 1
    row("A7", "order keys guessed at the page and the API by turns", n=n, accepted=0, refused=seen[429], seed=SEED)
    assert seen == {404: 10, 429: n - 10}
    assert Client().get(f"{where}?key={order.key}", REMOTE_ADDR=HERE).status_code == 200


@pytest.mark.django_db
def test_names_at_sign_up_are_locked() -> None:
    a_user("taken")
    said = []
    for _ in range(15):
        form = {"username": "taken", "password1": PASSWORD, "password2": PASSWORD}
        page = Client(headers={"Accept-Language": "en"}).post("/accounts/signup/", form).content.decode()
        said.append("Too many tries" in page)
    assert said == [False] * 10 + [True] * 5


@pytest.mark.django_db(transaction=True)
def test_guesses_at_the_same_moment_are_all_counted(row: Add) -> None:
    passed, refused = at_once(lambda: guesses.take("race", "guarded"), 40)
    row("A7", "40 guesses at once", n=40, accepted=passed, refused=refused, invariants="10 let through", seed=SEED)
    assert (passed, refused) == (10, 30)
    # The negative control: who counts afterwards lets more through.
    with counted_after() as take:
        bare, _ = at_once(take, 40)
    assert bare > 10
