"""Which shops are a zone, and who works for it: the numbers alone."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from .. import rules
from ..engine.zones import FAR, NOWHERE, divide, working


def apart(places: list[tuple[float, float]]) -> np.ndarray:
    points = np.array(places, float).reshape(-1, 2)
    return np.asarray(np.hypot(*(points[:, None] - points[None]).T))


PLACES = st.lists(st.tuples(st.floats(0, 9000), st.floats(0, 9000)), max_size=25, unique=True)


@given(PLACES)
def test_shops_of_a_zone_are_within_half_an_hour_of_each_other(places: list[tuple[float, float]]) -> None:
    rides = apart(places)
    zone = divide(rides, 25)
    assert sorted(set(zone.tolist())) == list(range(len(set(zone.tolist()))))
    for number in set(zone.tolist()):
        assert rides[np.ix_(zone == number, zone == number)].max() <= FAR


@given(PLACES, st.randoms(use_true_random=False))
def test_the_order_of_the_shops_does_not_divide_them_otherwise(
    places: list[tuple[float, float]], dice: np.random.Generator
) -> None:
    order = list(range(len(places)))
    dice.shuffle(order)
    rides = apart(places)
    every = rides[np.triu_indices(len(rides), 1)]
    assume(len(np.unique(every)) == len(every))
    zone, mixed = divide(rides, 25), divide(rides[np.ix_(order, order)], 25)
    together = zone[:, None] == zone[None]
    assert (together[np.ix_(order, order)] == (mixed[:, None] == mixed[None])).all()


def test_a_small_city_is_one_zone() -> None:
    assert divide(apart([(0.0, 0.0), (900.0, 0.0), (1800.0, 0.0)]), 9).tolist() == [0, 0, 0]
    assert divide(apart([(0.0, 0.0), (900.0, 0.0), (1801.0, 0.0)]), 9).max() == 1


def test_a_city_has_no_more_zones_than_its_couriers_are_enough_for() -> None:
    three = apart([(0.0, 0.0), (3000.0, 0.0), (9000.0, 0.0)])
    assert divide(three, 3).tolist() == [0, 1, 2]
    assert divide(three, 2).tolist() == [0, 0, 1]
    assert divide(three, 1).tolist() == [0, 0, 1], "an hour and a half is too far, however few there are"
    assert divide(apart([(0.0, 0.0), (3000.0, 0.0), (3600.0, 0.0)]), 1).tolist() == [0, 0, 0]
    assert [rules.most_zones(people, 1) for people in (0, 5, 11, 12, 18)] == [1, 1, 1, 2, 3]
    assert [rules.most_zones(people, 3) for people in (18, 12, 11, 8, 7)] == [3, 3, 2, 2, 1]


class TestWorking:
    """Near, need and keep of two zones."""

    def count(self, near: list[list[float]], need: list[float], keep: list[int]) -> list[int]:
        zone = working(np.array(near), np.array(need), np.array(keep))
        return [int((zone == number).sum()) for number in (0, 1)]

    def test_everybody_counts_where_they_are_nearest(self) -> None:
        assert self.count([[60, 900], [900, 60]], [1, 1], [0, 0]) == [1, 1]

    def test_who_is_far_from_everywhere_counts_nowhere(self) -> None:
        assert working(np.array([[FAR + 1, FAR + 2]]), np.ones(2), np.zeros(2, np.int64)).tolist() == [NOWHERE]

    def test_a_rush_borrows_of_its_neighbour(self) -> None:
        near = [[60.0, 900.0]] * 4 + [[900.0, 60.0]] * 4
        assert self.count(near, [4, 4], [0, 0]) == [4, 4]
        assert self.count(near, [12, 4], [0, 0]) == [6, 2]

    def test_but_not_from_far_off(self) -> None:
        near = [[60.0, 4000.0]] * 4 + [[4000.0, 60.0]] * 4
        assert self.count(near, [400, 4], [0, 0]) == [4, 4]

    def test_nor_whom_its_own_promises_need(self) -> None:
        near = [[60.0, 900.0]] * 4 + [[900.0, 60.0]] * 4
        assert self.count(near, [400, 4], [0, 3]) == [5, 3]

    @given(
        st.lists(st.tuples(st.floats(0, 3000), st.floats(0, 3000), st.floats(0, 3000)), max_size=20),
        st.lists(st.floats(0.1, 50), min_size=3, max_size=3),
        st.lists(st.integers(0, 9), min_size=3, max_size=3),
    )
    def test_nobody_counts_where_they_are_far_and_nothing_promised_loses_its_courier(
        self, near: list[tuple[float, float, float]], need: list[float], keep: list[int]
    ) -> None:
        rides = np.array(near, float).reshape(-1, 3)
        zone = working(rides, np.array(need), np.array(keep))
        there = zone != NOWHERE
        assert (rides[there, zone[there]] <= FAR).all()
        assert (rides[~there] > FAR).all()
        own = np.bincount(rides[there].argmin(axis=1), minlength=3) if there.any() else np.zeros(3)
        have = np.bincount(zone[there], minlength=3)
        assert (have >= np.minimum(own, keep)).all()


@given(st.lists(st.integers(0, 50), min_size=1, max_size=6), st.integers(0, 400))
def test_what_is_left_beside_what_is_promised(most: list[int], promised: int) -> None:
    found = rules.left(most, promised)
    assert sum(found) == max(sum(most) - promised, 0)
    assert all(0 <= less <= one for less, one in zip(found, most, strict=True))
