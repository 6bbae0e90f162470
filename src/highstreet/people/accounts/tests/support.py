"""A person with a second factor, and the codes their app would show."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.test import Client

from highstreet.people.accounts.models import User

PASSWORD = "a long password"
HALF_MINUTE = 30


def a_user(name: str, *, staff: bool = False) -> User:
    user = User(username=name, is_staff=staff, is_superuser=staff)
    user.set_password(PASSWORD)
    user.save()
    return user


def enrol(user: User) -> str:
    """Give a user a second factor. Returns the app's secret."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    RecoveryCodes.activate(user)
    return secret


def code_of(secret: str, *, later: int = 0) -> str:
    """What the app shows now, or `later` half minutes from now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // HALF_MINUTE + later))


def code_with_time_left(secret: str) -> str:
    """What the app shows, waiting for its next code as a person does whose code is about to go."""
    left = HALF_MINUTE - time.time() % HALF_MINUTE
    if left < 4:
        time.sleep(left)
    return code_of(secret)


def within_a_half_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes are told and checked at one moment, however long the test takes."""
    now = time.time()
    monkeypatch.setattr("highstreet.people.accounts.tests.support.time", SimpleNamespace(time=lambda: now))
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.time", SimpleNamespace(time=lambda: now))


def wrong_code(secret: str) -> str:
    near = {code_of(secret, later=step) for step in (-1, 0, 1)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in near)


def recovery_codes(user: User) -> list[str]:
    codes: list[str] = Authenticator.objects.get(user=user, type="recovery_codes").wrap().get_unused_codes()
    return codes


def typed(name: str, password: str = PASSWORD, client: Client | None = None, follow: str = "") -> Client:
    """A browser in which the password was typed; whether it is signed in is for the test to look at."""
    browser = client or Client()
    browser.cookies["lang"] = "en"
    tail = f"?next={follow}" if follow else ""
    browser.post(f"/accounts/login/{tail}", {"login": name, "password": password})
    return browser


def inside(client: Client) -> bool:
    """Whether a browser is signed in, by what a page of its own answers."""
    return client.get("/accounts/password/change/").status_code == 200
