from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from ..engine import GOODWILL, Asked, Cover, Need, Pattern, Profile, Shifts, Work, allowed, fit, learn, named, need

WORK = Work(busy=30.0, ahead=5.0, prepare=np.array([15]))


def flat(orders_a_bin: float, bins: int = 40, spread: float = 0.1) -> Profile:
    return Profile(np.full(bins, orders_a_bin), 15, spread, 3)


def wanting(needed: list[int], least: int = 0, level: float = 0.9) -> Need:
    """A need that is sure: so many couriers in each hour and no more."""
    counts = np.array(needed)
    chance = (np.arange(counts.max(initial=0))[None, :] < counts[:, None]).astype(float)
    return Need(counts.astype(float), counts, np.minimum(counts, least), chance, level, 60)


def test_a_profile_keeps_every_order_and_says_how_far_days_differ() -> None:
    source = np.random.default_rng(1)
    days = [np.sort(source.integers(0, 720, count)) for count in (400, 500, 600)]
    made = learn(days, 720)
    assert made.volume == pytest.approx(500)
    assert len(made.orders) == 48
    assert made.spread == pytest.approx(np.sqrt(100**2 - 500) / 500)
    assert learn([days[0]], 720).spread == pytest.approx(0.1)
    assert made.of_volume(1000).volume == pytest.approx(1000)
    assert made.of_volume(1000).spread == made.spread


def test_a_rush_is_smoothed_where_it_is_and_not_moved() -> None:
    day = np.full(300, 361)
    made = learn([day], 720)
    assert int(made.orders.argmax()) == 24
    assert made.orders[24] < 300 / 2
    assert made.orders[23] == pytest.approx(made.orders[25])
    sharp = learn([day], 720, smooth_minutes=0)
    assert sharp.orders[24] == 300


def test_a_day_of_which_nothing_is_known_is_empty() -> None:
    made = learn([], 600)
    assert (made.volume, made.days) == (0, 0)
    assert made.of_volume(100).volume == 0
    wanted = need(made, WORK, least=2)
    assert wanted.needed.sum() == 0
    assert fit(wanted, allowed(Shifts(), 0, 600)).shifts == ()


def test_the_load_is_littles_law_and_comes_later_than_the_click() -> None:
    """6 orders a bin of 15 minutes, 30 minutes each: 12 couriers busy, from ten minutes after the first order on."""
    wanted = need(flat(6.0), WORK)
    assert wanted.load[20] == pytest.approx(12.0)
    assert wanted.load[0] < 12.0 * 5 / 15
    assert wanted.load[1] < 12.0
    # The last order is placed in bin 39 and keeps a courier until 40 minutes later.
    assert len(wanted.load) == 43
    assert wanted.load.sum() * 15 == pytest.approx(40 * 6 * 30)


@pytest.mark.parametrize("level", [0.6, 0.8, 0.95])
def test_needed_is_the_fewest_for_the_level(level: float) -> None:
    wanted = need(flat(6.0), WORK, level=level, least=0)
    for row in (0, 20, 42):
        count = wanted.needed[row]
        assert wanted.chance[row, count] <= 1 - level
        assert count == 0 or wanted.chance[row, count - 1] > 1 - level


def test_safety_grows_like_a_root_and_with_what_days_differ_by() -> None:
    few, many = (need(flat(orders, spread=0.0), WORK, level=0.9).needed[20] for orders in (2.0, 50.0))
    assert few / 4 > many / 100
    assert many / 100 == pytest.approx(1 + 1.28 / 10, abs=0.03)
    steady, wild = (need(flat(50.0, spread=spread), WORK, level=0.9).needed[20] for spread in (0.0, 0.3))
    assert wild > steady + 15


def test_allowed_shifts_are_those_of_the_rules() -> None:
    made = allowed(Shifts(shortest=120, longest=480, length_step=60), 45, 720)
    assert {one.start % 30 for one in made} == {0}
    assert min(one.start for one in made) == 60
    assert max(one.end for one in made) == 720
    assert {one.end - one.start for one in made} == {120, 180, 240, 300, 360, 420, 480}
    for one in made:
        if one.end - one.start < 360:
            assert (one.break_start, one.break_end, one.paid) == (0, 0, one.end - one.start)
        else:
            assert one.break_end - one.break_start == 30
            assert 150 <= one.break_start - one.start <= 270
            assert one.break_end <= one.end
            assert one.paid == one.end - one.start - 30


def test_the_fewest_paid_minutes_cover_a_sure_need() -> None:
    """By hand: two from 1 to 5, one more from 3 to 5: 4 + 4 + 2 hours, and nothing shorter covers it."""
    made = fit(wanting([0, 2, 2, 3, 3, 0]), allowed(Shifts(step=60), 0, 360))
    assert made.paid == 600
    assert made.there.tolist() == [0, 2, 2, 3, 3, 0]
    assert made.short == 0


def test_a_courier_who_is_seldom_needed_is_not_hired_for_it() -> None:
    """One minute in ten is worth its pay at the level 0.9; a need of 5 % is not, and 30 % of an hour in two is."""
    base = wanting([1, 1])
    for chance, there in ((0.05, [1, 1]), (0.3, [2, 2])):
        rare = Need(base.load, base.needed, base.least, np.array([[1.0, chance], [1.0, chance]]), 0.9, 60)
        assert fit(rare, allowed(Shifts(step=60), 0, 120)).there.tolist() == there


def test_a_break_is_nobody_there_and_somebody_else_covers_it() -> None:
    long = [one for one in allowed(Shifts(step=60, shortest=360), 0, 480) if one.break_start]
    assert fit(wanting([1] * 8, level=0.99), long).there.min() >= 0.5
    made = fit(wanting([1] * 8, least=1, level=0.99), [*long, Pattern(120, 240), Pattern(180, 300)])
    assert made.there.min() >= 1
    assert made.paid < 2 * 450


def test_the_least_are_there_however_little_is_to_do() -> None:
    quiet = need(flat(0.1), WORK, level=0.6, least=2)
    made = fit(quiet, allowed(Shifts(), 0, 690))
    assert (made.there[quiet.least > 0] >= 2).all()


def test_few_long_shifts_come_before_many_short_ones_where_they_cost_the_same() -> None:
    wanted = wanting([1, 1, 1, 1, 1, 1])
    patterns = allowed(Shifts(step=60, longest=300, break_from=999), 0, 360)
    assert len(fit(wanted, patterns, each=1.0).shifts) == 2
    assert fit(wanted, patterns, each=1.0).paid == fit(wanted, patterns).paid == 360


def test_the_same_need_gives_the_same_roster() -> None:
    source = np.random.default_rng(5)
    days = [np.sort(source.normal(300, 90, 300).clip(0, 719)) for _ in range(3)]
    wanted = need(learn(days, 720), WORK)
    first, second = (fit(wanted, allowed(Shifts(), 0, 780)) for _ in range(2))
    assert first.shifts == second.shifts
    assert list(first.shifts) == sorted(first.shifts)
    assert all(one <= other for one, other in pairwise(first.shifts))


def test_nothing_covers_without_shifts() -> None:
    made = fit(wanting([1, 1]), [])
    assert (made.shifts, made.paid, made.short) == ((), 0, 120)


def test_a_day_that_begins_with_more_than_expected_is_expected_to_bring_more() -> None:
    morning = flat(6.0, spread=0.3)
    as_expected = morning.so_far(300, 120)
    assert as_expected.volume == pytest.approx(morning.volume)
    busy, quiet = morning.so_far(300, 180), morning.so_far(300, 60)
    # Between what was expected (240) and what these alone would say (360, 120).
    assert 240 < busy.volume < 360 and 120 < quiet.volume < 240
    assert busy.spread < morning.spread
    assert busy.spread >= 0.1
    # Later in the day the same excess says more.
    assert morning.so_far(150, 90).volume < busy.volume
    # Half a bin has half of its orders.
    assert morning.so_far(7, 3).volume == pytest.approx(morning.volume, rel=0.02)
    assert morning.so_far(0, 0).volume == morning.volume


def test_days_that_are_surely_alike_learn_little_from_one_of_them() -> None:
    sure, unsure = (flat(6.0, spread=spread).so_far(300, 240).volume for spread in (0.1, 0.4))
    assert 240 < sure < unsure


def test_who_stands_already_is_not_hired_again() -> None:
    wanted, patterns = wanting([1, 2, 2, 1]), allowed(Shifts(step=60), 0, 240)
    made = fit(wanted, patterns, standing=[Pattern(0, 240)])
    assert made.shifts == (Pattern(60, 180),)
    assert made.there.tolist() == [1, 2, 2, 1]
    assert made.short == 0
    enough = fit(wanted, patterns, standing=[Pattern(0, 240), Pattern(60, 180)])
    assert (enough.shifts, enough.short) == ((), 0)
    late = fit(wanted, [], standing=[Pattern(0, 240)])
    assert (late.shifts, late.short) == ((), 120)


def test_a_wish_is_granted_where_it_costs_nothing() -> None:
    """Four hours are two shifts of two hours or one of four: as somebody wishes."""
    wanted = wanting([1, 1, 1, 1])
    patterns = allowed(Shifts(step=60), 0, 240)
    for liked, expected in (
        ([Pattern(0, 240)], {Pattern(0, 240)}),
        ([Pattern(0, 120)], {Pattern(0, 120), Pattern(120, 240)}),
    ):
        asked = [Asked(frozenset(patterns.index(one) for one in liked))]
        made = fit(wanted, patterns, asked=asked)
        assert set(made.shifts) == expected
        assert (made.paid, made.short) == (240, 0)


def test_a_wish_does_not_cost_service_or_hours() -> None:
    """Nobody is needed when they wish; and a shift of six hours for a need of four costs more than goodwill."""
    wanted, patterns = wanting([0, 0, 1, 1, 1, 1]), allowed(Shifts(step=60, break_from=999), 0, 360)
    for liked in (Pattern(0, 120), Pattern(0, 360)):
        made = fit(wanted, patterns, asked=[Asked(frozenset([patterns.index(liked)]))])
        assert liked not in made.shifts
        assert (made.paid, made.short) == (240, 0)
    assert GOODWILL < 60


def test_two_who_wish_for_one_shift_do_not_make_two_of_it() -> None:
    wanted, patterns = wanting([1, 1]), allowed(Shifts(step=60), 0, 120)
    made = fit(wanted, patterns, asked=[Asked(frozenset([0]), people=9)])
    assert made.shifts == (Pattern(0, 120),)


def test_a_wish_pays_for_no_more_than_goodwill() -> None:
    """However many ask: the roster is worth less by GOODWILL for each who gets one, at most."""
    source = np.random.default_rng(3)
    wanted = need(learn([np.sort(source.normal(300, 90, 300).clip(0, 719)) for _ in range(3)], 720), WORK)
    patterns = allowed(Shifts(), 0, 780)
    asked = [Asked(frozenset(source.choice(len(patterns), 12, replace=False).tolist()), 2) for _ in range(20)]
    without, made = fit(wanted, patterns), fit(wanted, patterns, asked=asked)
    liked = [[n for n, one in enumerate(made.shifts) if patterns.index(one) in ask.patterns] for ask in asked]
    granted = len(named([one for one in liked for _ in range(2)], len(made.shifts)))
    before = [[n for n, one in enumerate(without.shifts) if patterns.index(one) in ask.patterns] for ask in asked]
    assert granted > len(named([one for one in before for _ in range(2)], len(without.shifts)))
    assert _worth(wanted, without) - _worth(wanted, made) <= GOODWILL * granted + 0.002 * _worth(wanted, without)


def _worth(wanted: Need, made: Cover) -> float:
    """Paid minutes that the couriers who are there are worth, less what they are paid."""
    ranks = np.arange(wanted.chance.shape[1])
    counted = np.clip(made.there[:, None] - ranks, 0, 1)
    return float((counted * wanted.chance).sum()) / (1 - wanted.level) * wanted.bin_minutes - made.paid


def test_as_many_as_can_be_have_one_and_the_first_come_first() -> None:
    assert named([[0, 1], [0]], 2) == {0: 1, 1: 0}
    assert named([[0], [0], [0]], 1) == {0: 0}
    assert named([[1], [], [1, 2]], 3) == {1: 0, 2: 2}
    assert named([], 3) == named([[]], 3) == named([[]], 0) == {}
