"""The second factor on our own pages, on /api/v1/sessions and on /admin/: set up, asked for, used once, not skipped."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client

from highstreet.kernel import ids
from highstreet.people.staff.models import Safeguard
from highstreet.web.console.tests.support import a_scene

from .support import (
    PASSWORD,
    a_user,
    code_of,
    enrol,
    inside,
    recovery_codes,
    typed,
    within_a_half_minute,
    wrong_code,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_tried_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    within_a_half_minute(monkeypatch)


def sign_in(name: str, code: str = "", password: str = PASSWORD) -> Any:
    body = {"username": name, "password": password, **({"code": code} if code else {})}
    return Client().post("/api/v1/sessions", json.dumps(body), content_type="application/json")


def test_it_is_set_up_on_our_pages_and_its_codes_are_shown_once() -> None:
    user = a_user("ann")
    browser = typed("ann")
    # Whoever finds a browser open sets up nothing: the password is asked for once more.
    assert browser.get("/accounts/2fa/totp/activate/")["Location"].startswith("/accounts/reauthenticate/")
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = browser.get("/accounts/2fa/totp/activate/").content.decode()
    secret = re.search(r'<code class="break" id="secret">([A-Z2-7]+)</code>', page)
    assert secret and "data:image/svg+xml" in page
    done = browser.post("/accounts/2fa/totp/activate/", {"code": code_of(secret[1])}, follow=True)
    codes = re.findall(r"<li><code>(\d{8})</code></li>", done.content.decode())
    assert codes == recovery_codes(user) and len(codes) == 10
    again = browser.get("/accounts/2fa/recovery-codes/").content.decode()
    assert not any(code in again for code in codes) and "not shown again" in again
    assert browser.get("/accounts/2fa/recovery-codes/download/").status_code == 403
    kept = json.dumps([row.data for row in Authenticator.objects.filter(user=user)])
    assert secret[1] not in kept


def test_a_password_alone_signs_nobody_in_who_has_one() -> None:
    secret = enrol(a_user("ann"))
    browser = typed("ann")
    assert not inside(browser)
    assert browser.post("/accounts/2fa/authenticate/", {"code": wrong_code(secret)}).status_code == 200
    assert not inside(browser)
    browser.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert inside(browser)
    # The same code does not open another browser.
    other = typed("ann")
    other.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert not inside(other)


def test_a_bearer_token_needs_the_code_too() -> None:
    user = a_user("ann")
    secret = enrol(user)
    assert (sign_in("ann").status_code, sign_in("ann").json()["type"]) == (401, "code_needed")
    assert sign_in("ann", wrong_code(secret)).json()["type"] == "wrong_code"
    code = code_of(secret)
    assert sign_in("ann", code).status_code == 201
    assert sign_in("ann", code).json()["type"] == "wrong_code"
    spare = recovery_codes(user)[0]
    assert sign_in("ann", spare).status_code == 201
    assert sign_in("ann", spare).json()["type"] == "wrong_code"
    # Who has a wrong password hears nothing of a second factor.
    assert sign_in("ann", password="nonsense").json()["type"] == "wrong_login"


def test_admin_has_no_door_of_its_own(settings: Any) -> None:
    secret = enrol(a_user("root", staff=True))
    answer = Client().get("/admin/login/")
    assert answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")
    assert Client().post("/admin/login/", {"username": "root", "password": PASSWORD}).status_code == 302
    browser = typed("root")
    assert browser.get("/admin/").status_code == 302
    browser.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert browser.get("/admin/").status_code == 200
    # In earnest, an operator without one gets no further than to set it up.
    settings.ADMIN_SECOND_FACTOR = True
    assert browser.get("/admin/").status_code == 200
    a_user("lax", staff=True)
    lax = typed("lax")
    assert lax.get("/admin/").status_code == 302
    assert lax.get("/admin/login/?next=/admin/")["Location"] == "/accounts/2fa/totp/activate/"


def test_an_organisation_that_asks_for_it_lets_nobody_work_without() -> None:
    scene = a_scene()
    for user in (scene.owner, scene.picker):
        user.set_password(PASSWORD)
        user.save()
    owner, picker = typed(scene.owner.username), typed(scene.picker.username)
    assert owner.get("/console/").status_code == 200
    # Not before one's own is set up: else its owner would be locked out.
    assert owner.post("/console/permissions/second-factor", {"asked": "1"}).status_code == 409
    Safeguard.objects.create(organisation_id=scene.city.retailer_id, second_factor=True)
    answer = owner.get("/console/")
    assert answer.status_code == 302 and answer["Location"].startswith("/accounts/2fa/totp/activate/")
    token = sign_in(scene.owner.username).json()["token"]
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": ids.random_token(8)}
    refused = Client().get("/api/v1/partners/keys", headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (403, "second_factor_needed")
    # A picker moves no money, and goes on.
    store = ids.public("str", scene.stores[0].pk)
    assert picker.get(f"/store/{store}/").status_code in (200, 302)
    enrol(scene.owner)
    assert owner.get("/console/").status_code == 200
