"""Each city has one planner, whoever comes and goes: real locks on real connections."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from django.db import connection

from highstreet.kernel import ids

from .. import leading

pytestmark = pytest.mark.django_db


class Process:
    """A thread with a connection of its own, as a dispatcher has."""

    def __init__(self, cities: list[UUID]) -> None:
        self.cities, self.mine = cities, list[UUID]()
        self.thread = ThreadPoolExecutor(1)

    def look(self) -> list[UUID]:
        look_at_once([self])
        return self.mine

    def is_old(self) -> None:
        """As the leader of an older release."""
        self.thread.submit(lambda: connection.cursor().execute("SELECT pg_advisory_lock(%s)", [leading.KEY])).result(10)

    def die(self) -> None:
        """Returns once PostgreSQL has let go: a busy one takes a moment."""
        self.mine = []
        pid = self.thread.submit(_hung_up).result(10)
        until = time.monotonic() + 30
        while pid is not None and _lives(pid):
            assert time.monotonic() < until, "a connection that was closed is still there"
            time.sleep(0.01)


def _hung_up() -> int | None:
    """Close this thread's connection. Which backend it had, if any."""
    pid = connection.connection.info.backend_pid if connection.connection is not None else None
    connection.close()
    return pid


def _lives(pid: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = %s", [pid])
        return cursor.fetchone() is not None


def look_at_once(processes: list[Process]) -> None:
    asked = [one.thread.submit(leading.lead, one.cities) for one in processes]
    for one, told in zip(processes, asked, strict=True):
        one.mine = told.result(10)


@pytest.fixture
def start() -> Iterator[Callable[[list[UUID]], Process]]:
    made: list[Process] = []

    def start(cities: list[UUID]) -> Process:
        made.append(Process(cities))
        return made[-1]

    yield start
    for one in made:
        one.die()
        one.thread.shutdown()


def new_cities(count: int) -> list[UUID]:
    return sorted(ids.new_id() for _ in range(count))


def test_one_leads_all_and_gives_half_to_who_comes(start: Callable[[list[UUID]], Process]) -> None:
    cities = new_cities(4)
    first, second, third = (start(cities) for _ in range(3))
    assert first.look() == cities
    assert second.look() == []
    assert len(first.look()) == len(second.look()) == 2
    assert sorted(first.mine + second.mine) == cities
    assert third.look() == [] and len(first.look()) == 2
    first.die()
    assert sorted(second.look() + third.look()) == cities
    second.die()
    assert third.look() == cities


def test_who_is_one_too_many_stands_by(start: Callable[[list[UUID]], Process]) -> None:
    (city,) = cities = new_cities(1)
    first, second = start(cities), start(cities)
    assert (first.look(), second.look(), first.look()) == ([city], [], [city])
    first.die()
    assert second.look() == [city]


def test_beside_an_older_release_nobody_plans(start: Callable[[list[UUID]], Process]) -> None:
    cities = new_cities(2)
    older, newer = start([]), start(cities)
    older.is_old()
    assert newer.look() == []
    older.die()
    assert newer.look() == cities


def test_a_city_that_is_gone_is_let_go_of_and_two_of_one_number_go_together(
    start: Callable[[list[UUID]], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    cities = new_cities(3)
    first, second = start(cities), start(cities[:1])
    first.look()
    first.cities = cities[1:]
    assert first.look() == cities[1:] and second.look() == cities[:1]
    for one in (first, second):
        one.die()
    monkeypatch.setattr(leading, "lock_of", lambda city_id: 7)
    first.cities = second.cities = cities
    assert (first.look(), second.look(), first.look()) == (cities, [], cities)


def comings_and_goings(start: Callable[[list[UUID]], Process], seed: int) -> None:
    """Processes look, several at once, die and come back; AssertionError where two lead one city, or one is left."""
    dice, cities = random.Random(seed), new_cities(5)
    there = [start(cities) for _ in range(4)]
    for _ in range(60):
        if dice.random() < 0.8:
            look_at_once(dice.sample(there, dice.randint(1, 4)))
        else:
            dice.choice(there).die()
        led = [city for process in there for city in process.mine]
        assert len(led) == len(set(led)), "a city has two planners"
    # Who has too many gives some up at the first look, and who has too few takes them at the next.
    for _ in range(3):
        for one in there:
            one.look()
    assert sorted(len(one.mine) for one in there) in ([1, 1, 1, 2], [0, 1, 2, 2])
    assert sorted(city for one in there for city in one.mine) == cities


@pytest.mark.parametrize("seed", range(5))
def test_never_two_planners_and_soon_no_city_without(start: Callable[[list[UUID]], Process], seed: int) -> None:
    comings_and_goings(start, seed)


def test_it_fails_where_a_lock_is_believed_to_be_had(
    start: Callable[[list[UUID]], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: who asks for a city takes it without the lock, and sees nobody else's."""
    monkeypatch.setattr(leading, "_had", lambda cursor: True)
    monkeypatch.setattr(leading, "_HELD", f"{leading._HELD} AND pid = pg_backend_pid()")
    with pytest.raises(AssertionError, match="two planners"):
        comings_and_goings(start, 0)
