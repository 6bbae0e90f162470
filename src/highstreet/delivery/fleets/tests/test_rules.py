"""The code tables both ways, what is news, when we give up; on plain values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from highstreet.delivery.dispatch import rules as dispatch
from highstreet.delivery.dispatch.states import MACHINE

from .. import rules

NOON = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
# What a fleet has no word for comes back as the nearest state that has been passed, or as the end that it calls it.
COARSER = {
    "wechat": {"assigned": "waiting", "at_door": "picked_up"},
    "meituan": {
        "assigned": "waiting",
        "at_store": "accepted",
        "at_door": "picked_up",
        "failed": "picked_up",
        "returned": "cancelled",
    },
}


def test_the_tables_are_the_fleets_own() -> None:
    """Every code that the documents list, and no other."""
    wechat = {"101", "102", "103", "201", "202", "203", "204", "205"}
    wechat |= {"301", "302", "303", "304", "305", "401", "501", "502"}
    assert set(rules.WECHAT_CODES) == wechat
    assert set(rules.MEITUAN_CODES) == {"0", "20", "30", "50", "99"}


@pytest.mark.parametrize("provider", sorted(rules.CODES))
def test_every_state_of_ours_there_and_back(provider: str) -> None:
    assert set(rules.WORDS[provider]) == MACHINE.states()
    for state in sorted(MACHINE.states()):
        back = rules.meaning(provider, rules.word(provider, state))
        assert back is not None
        assert back.state == COARSER[provider].get(state, state)


@pytest.mark.parametrize("provider", sorted(rules.CODES))
def test_every_code_there_and_back_means_the_same(provider: str) -> None:
    for code, known in rules.CODES[provider].items():
        assert known.state in MACHINE.states(), code
        again = rules.meaning(provider, rules.word(provider, known.state))
        assert again is not None and again.state == known.state, code


def test_what_ends_at_the_fleet_ends_here() -> None:
    """WeChat's list of final codes: 302, and 103, 203-205, 401, 501, 502."""
    final = {code for code, known in rules.WECHAT_CODES.items() if known.state in rules.FINAL}
    assert final == {"103", "203", "204", "205", "302", "401", "501", "502"}
    assert {code for code, known in rules.MEITUAN_CODES.items() if known.state in rules.FINAL} == {"50", "99"}


def test_unknown_codes_mean_nothing() -> None:
    for code in ("", "0", "104", "999", "x", "１０１"):
        assert rules.meaning("wechat", code) is None


def test_news_is_never_back() -> None:
    order = ["waiting", "accepted", "at_store", "picked_up", "at_door", "failed", "delivered"]
    for here, known in enumerate(order):
        for there, told in enumerate(order):
            assert rules.is_news(known, told) == (there > here), (known, told)
    for end in sorted(rules.FINAL):
        assert not any(rules.is_news(end, told) for told in rules.RANK)


@pytest.mark.parametrize("here", sorted(MACHINE.states()))
@pytest.mark.parametrize("there", sorted(MACHINE.states() - {"cancelled"}))
def test_a_walk_is_a_path_of_the_machine(here: str, there: str) -> None:
    events = dispatch.walk(here, there)
    state = here
    for event in events or []:
        assert event not in ("lapse", "let_go", "cancel"), "a way to the door is no way back"
        state = MACHINE.table[state, event]
    if events:
        assert state == there and dispatch.RANK[here] < dispatch.RANK[there]
    elif events == []:
        assert dispatch.RANK[here] >= dispatch.RANK[there]
    else:
        assert here in ("delivered", "returned", "cancelled") and there in ("delivered", "returned")


def test_a_walk_makes_up_no_stop() -> None:
    assert dispatch.walk("waiting", "delivered") == ["assign", "accept", "pick_up", "deliver"]
    assert dispatch.walk("accepted", "delivered") == ["pick_up", "deliver"]
    assert dispatch.walk("waiting", "at_store") == ["assign", "accept", "arrive_store"]
    assert dispatch.walk("picked_up", "returned") == ["fail", "give_back"]
    assert dispatch.walk("failed", "delivered") == ["deliver"]
    assert dispatch.walk("delivered", "picked_up") == []
    assert dispatch.walk("delivered", "returned") is None
    assert dispatch.walk("cancelled", "delivered") is None


def given_up(told: str, now: datetime, *, since: datetime = NOON, heard: datetime | None = None) -> str:
    return rules.given_up(told, now, since=since, heard_at=heard or now, promised_to=NOON + HOUR / 2)


def test_when_we_give_a_fleet_up() -> None:
    minute = timedelta(minutes=1)
    assert given_up("waiting", NOON + 15 * minute) == ""
    assert given_up("waiting", NOON + 16 * minute) == "untaken"
    assert given_up("accepted", NOON + 30 * minute) == ""
    assert given_up("accepted", NOON + 30 * minute, heard=NOON + 9 * minute) == "silent"
    assert given_up("at_store", NOON + 90 * minute) == ""
    assert given_up("at_store", NOON + 91 * minute) == "late"
    assert given_up("picked_up", NOON + 200 * minute, heard=NOON) == ""
    assert given_up("picked_up", NOON + 211 * minute) == "lost"
    assert given_up("failed", NOON + 2 * HOUR) == ""
    assert given_up("failed", NOON + 2 * HOUR + minute) == "not_back"


def test_waits_grow_and_stay() -> None:
    waits = [rules.wait(rules.CREATE_WAITS, tries).total_seconds() for tries in range(1, 7)]
    assert waits == [5, 15, 45, 120, 120, 120]


def test_what_a_shopper_is_told_of_a_courier() -> None:
    assert rules.phone_tail("138-0000-1234") == "1234" and rules.phone_tail("1234") == ""


def test_points_are_shifted_in_china_and_nowhere_else() -> None:
    lat, lon = rules.gcj02(31.1774276, 121.5272106)
    assert (round(lat, 6), round(lon, 6)) == (31.175304, 121.531542)
    assert rules.gcj02(-30.03, -51.22) == (-30.03, -51.22)
