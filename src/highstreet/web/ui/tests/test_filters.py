"""What people read: money, times, distances. No database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from highstreet.web.ui import rules

NOW = datetime(2026, 11, 23, 18, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fen", "text"),
    [(1230, "¥12.30"), (5, "¥0.05"), (0, "¥0.00"), (-500, "−¥5.00"), (123456789, "¥1,234,567.89")],
)
def test_money(fen: int, text: str) -> None:
    assert rules.money(fen) == text


def test_points_have_no_decimals() -> None:
    assert rules.money(1200, "PTS") == "1,200"


@pytest.mark.parametrize(
    ("fen", "quantity", "unit", "zh", "en"),
    [
        (2500, 950, "g", "¥2.63/100 g", "¥2.63/100 g"),
        (1390, 950, "ml", "¥1.46/100 ml", "¥1.46/100 ml"),
        (1580, 10, "piece", "¥1.58/件", "¥1.58/pc"),
        (990, 1, "piece", "", ""),
        (990, 0, "g", "", ""),
        (990, 6, "furlong", "", ""),
    ],
)
def test_unit_price(fen: int, quantity: int, unit: str, zh: str, en: str) -> None:
    assert rules.unit_price(fen, quantity, unit, "zh-hans") == zh
    assert rules.unit_price(fen, quantity, unit, "en") == en


@pytest.mark.parametrize(
    ("moment", "zh", "en"),
    [
        (datetime(2026, 11, 23, 18, 30), "今天 18:30前", "by 18:30"),
        (datetime(2026, 11, 24, 9, 5), "明天 09:05前", "by 09:05 tomorrow"),
        (datetime(2026, 11, 28, 9, 0), "11 月 28 日 09:00前", "by 09:00 on 28 Nov"),
        (datetime(2027, 1, 2, 9, 0), "2027 年 1 月 2 日 09:00前", "by 09:00 on 2 Jan 2027"),
    ],
)
def test_by_time(moment: datetime, zh: str, en: str) -> None:
    aware = moment.replace(tzinfo=UTC)
    assert rules.by_time(aware, NOW, "zh-hans") == zh
    assert rules.by_time(aware, NOW, "en") == en


def test_day_time_names_the_day_only_when_it_is_another() -> None:
    assert rules.day_time(NOW, NOW, "en") == "18:04"
    assert rules.day_time(NOW.replace(day=22), NOW, "zh-hans") == "昨天 18:04"


@pytest.mark.parametrize(
    ("metres", "zh", "en"),
    [
        (3, "10 米", "10 m"),
        (346, "350 米", "350 m"),
        (950, "0.9 公里", "0.9 km"),
        (1346, "1.3 公里", "1.3 km"),
    ],
)
def test_distance(metres: float, zh: str, en: str) -> None:
    assert rules.distance(metres, "zh-hans") == zh
    assert rules.distance(metres, "en") == en


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (0.2, "不到 1 分钟", "under 1 min"),
        (11, "11 分钟", "11 min"),
        (60, "1 小时", "1 h"),
        (80, "1 小时 20 分钟", "1 h 20 min"),
    ],
)
def test_minutes(value: float, zh: str, en: str) -> None:
    assert rules.minutes(value, "zh-hans") == zh
    assert rules.minutes(value, "en") == en
