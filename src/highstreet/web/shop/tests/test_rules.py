"""Boxes, pixels and what counts as worse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from highstreet.web.shop.rules import around, got_worse, line, moment, over, whole_number, window

HERE = (-30.03, -51.22)
AT = datetime(2026, 3, 4, 18, 30, 20, tzinfo=UTC)


def test_a_click_means_the_point_that_was_drawn_there() -> None:
    view = around(HERE, 1600.0, 288, 260)
    assert view.at(HERE) == (144, 130)
    lat, lon = view.point(*view.at((-30.034, -51.216)))
    assert abs(lat + 30.034) < 4e-5 and abs(lon + 51.216) < 4e-5


def test_a_map_holds_both_ends_with_room() -> None:
    far = (-30.06, -51.19)
    view = over([HERE, far], 480, 300)
    for point in (HERE, far):
        x, y = view.at(point)
        assert 24 < x < 456 and 24 < y < 276
    assert view.kept((-31.0, -50.0)) == (464, 284)


def test_one_point_still_makes_a_map() -> None:
    assert over([HERE], 480, 300).at(HERE) == (240, 150)


def test_a_way_is_a_path_without_repeated_pixels() -> None:
    view = around(HERE, 1600.0, 288, 260)
    assert line(view, [HERE]) == "" and line(view, [HERE, HERE]) == ""
    assert line(view, [HERE, (-30.032, -51.22)]).startswith("M144 130L144 ")


@pytest.mark.parametrize(
    ("total", "later", "worse"),
    [(4000, 0, False), (3900, -5, False), (4001, 0, True), (4000, 60, True), (4000, 30, False)],
)
def test_dearer_or_a_minute_later_is_worse(total: int, later: int, worse: bool) -> None:
    assert got_worse(4000, AT, total, AT + timedelta(seconds=later)) is worse


def test_nothing_seen_is_nothing_agreed() -> None:
    assert got_worse(0, None, 0, AT)


@pytest.mark.parametrize("text", ["-1", "1.5", "1e3", "٣", "10000000", "", "100", "1_0"])
def test_only_small_whole_numbers_count(text: str) -> None:
    assert whole_number(text, 99) is None


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-03-04", "2026-03-04T18:30", "\x00", "\ud800", "0001-01-01T00:00+23:59", "٣" * 20]
)
def test_only_a_moment_with_its_offset_counts(text: str) -> None:
    assert moment(text) is None


def test_a_moment_is_read_in_any_zone() -> None:
    assert moment("2026-03-04T15:30:20-03:00") == AT and moment(AT.isoformat()) == AT


@pytest.mark.parametrize(
    ("days", "lang", "words"),
    [
        (0, "en", "today 18:30–19:30"),
        (0, "zh-hans", "今天 18:30–19:30"),
        (1, "en", "tomorrow 18:30–19:30"),
        (1, "zh-hans", "明天 18:30–19:30"),
    ],
)
def test_a_window_has_its_day(days: int, lang: str, words: str) -> None:
    start = AT + timedelta(days=days)
    assert window(start, start + timedelta(hours=1), AT - timedelta(hours=4), lang) == words
