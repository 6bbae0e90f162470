from __future__ import annotations

from datetime import UTC, datetime, timedelta

from highstreet.trade.payments import rules


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def test_a_fen_or_a_currency_makes_a_difference() -> None:
    assert rules.difference((100, "CNY"), (100, "CNY")) == ""
    assert rules.difference((100, "CNY"), (101, "CNY")) == "amount"
    assert rules.difference((100, "CNY"), (99, "CNY")) == "amount"
    assert rules.difference((100, "CNY"), (100, "USD")) == "currency"


def test_young_payments_are_asked_about_every_five_seconds_old_ones_every_minute() -> None:
    assert rules.ask_again(seconds(20), None)
    assert not rules.ask_again(seconds(30), seconds(4.9))
    assert rules.ask_again(seconds(30), seconds(5))
    assert not rules.ask_again(seconds(301), seconds(59))
    assert rules.ask_again(seconds(301), seconds(60))


def test_refunds_are_looked_after_ever_more_rarely_but_always() -> None:
    assert rules.try_again(0, None)
    assert not rules.try_again(1, seconds(4)) and rules.try_again(1, seconds(5))
    assert not rules.try_again(2, seconds(9)) and rules.try_again(2, seconds(10))
    assert rules.try_again(10_000, seconds(300)) and not rules.try_again(10_000, seconds(299))


def test_the_provider_gets_at_least_a_minute() -> None:
    wall = datetime(2026, 11, 24, tzinfo=UTC)
    assert rules.provider_expiry(wall, 10) == wall + seconds(60)
    assert rules.provider_expiry(wall, 600) == wall + seconds(600)
