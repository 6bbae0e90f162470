"""The schedule, the signature, the scopes."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

from highstreet.growth.partners import rules
from highstreet.people.staff.policy import ROLES, SCOPES

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_the_signature_is_that_of_the_standard() -> None:
    """The example of the reference libraries (standard-webhooks/standard-webhooks, all languages share it)."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    header = rules.signature([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert header == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert rules.signature([secret, secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == f"{header} {header}"
    assert rules.signature([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265331, body) != header


def test_secrets_are_what_the_standard_wants() -> None:
    secret = rules.secret_of(bytes(range(32)))
    assert secret.startswith("whsec_") and rules.key_of(secret) == bytes(range(32))
    assert 24 <= len(base64.b64decode(secret[6:])) <= 64


def test_the_schedule_is_nine_further_tries() -> None:
    seconds = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    for tries, wait in enumerate(seconds, start=1):
        assert rules.next_try(NOW, tries, 0.0) == NOW + timedelta(seconds=wait)
        late = rules.next_try(NOW, tries, 0.999)
        assert late is not None and wait < (late - NOW).total_seconds() < wait * 1.2
    assert rules.next_try(NOW, 10, 0.0) is None


def test_after_five_days_an_endpoint_is_given_up() -> None:
    assert not rules.gives_up(None, NOW)
    assert not rules.gives_up(NOW - timedelta(days=5) + timedelta(seconds=1), NOW)
    assert rules.gives_up(NOW - timedelta(days=5), NOW)


def test_no_scope_makes_keys_or_people() -> None:
    assert not SCOPES & {"keys.manage", "staff.manage", "shop.own", "courier.work"}
    assert ROLES["owner"] > SCOPES
    assert rules.beyond(["stock.read", "ledger.read"], {"stock.read"}) == ["ledger.read"]
