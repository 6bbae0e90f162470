"""Streets kept in memory give the same seconds as the engine; without streets all is by straight line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from highstreet.delivery.couriers.tests import support
from highstreet.kernel.policy import NOBODY, THE_SYSTEM
from highstreet.kernel.refusal import Refused
from highstreet.trade.orders import ports

from .. import actions, reads
from ..engine import straight_seconds
from ..models import Streets

pytestmark = pytest.mark.django_db
PBF = Path(__file__).parents[3] / "twin" / "cities" / "poa" / "streets.osm.pbf"
CENTRE = (-30.0300, -51.2200)


@pytest.fixture(scope="module")
def bytes_of_streets(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[dict[str, bytes]]:
    """The demo city's streets, read once for the module."""
    from ..engine import read_map, read_streets, streets_index

    yield {
        "graph": read_streets(PBF).to_bytes(),
        "layers": read_map(PBF).to_bytes(),
        "names": streets_index(PBF).to_bytes(),
    }


@pytest.fixture
def city(bytes_of_streets: dict[str, bytes]) -> support.Town:
    place = support.town()
    Streets.objects.create(city_id=place.city_id, source="streets.osm.pbf", loaded_at=support.NOON, **bytes_of_streets)
    return place


def doors(count: int, seed: int = 3) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    source = np.random.default_rng(seed)
    return np.array(CENTRE) + source.uniform(-0.015, 0.015, (count, 2))


def test_one_look_up_a_door_is_the_same_as_asking_the_engine(city: support.Town) -> None:
    streets, points = reads.streets(city.city_id), doors(60)
    assert streets.graph is not None
    there = streets.from_place(CENTRE, points)
    back = streets.to_place(points, CENTRE)
    assert np.allclose(there, streets.seconds([CENTRE], points)[0], atol=0.1)
    assert np.allclose(back, streets.seconds(points, [CENTRE])[:, 0], atol=0.1)
    assert not np.allclose(there, back), "one-way streets make the ways differ"
    assert (there < 2400).all() and there.max() > 200
    assert streets.from_place(CENTRE, []).shape == (0,)
    assert streets.from_place(CENTRE, [CENTRE])[0] < 5


def test_the_streets_are_read_once_a_process(city: support.Town) -> None:
    reads.forget(city.city_id)
    with CaptureQueriesContext(connection) as queries:
        first = reads.streets(city.city_id)
        assert reads.streets(city.city_id) is first
        reads.matrix(city.city_id, [CENTRE], [CENTRE])
    assert len(queries) == 4, "when loaded, the streets, the speeds, the city"


def test_a_way_follows_the_streets(city: support.Town) -> None:
    way = reads.path(city.city_id, CENTRE, (-30.04, -51.21))
    assert len(way.points) > 10
    assert tuple(way.points[0]) == CENTRE
    assert way.distance_m > 1400 and way.seconds > 200


def test_a_map_is_drawn(city: support.Town) -> None:
    box = (-30.04, -51.23, -30.03, -51.22)
    drawn = reads.svg(city.city_id, box, 320)
    assert set(drawn) == {"water", "green", "path", "minor", "major"}
    assert drawn["minor"].startswith("M") and sum(map(len, drawn.values())) < 40_000


def test_an_address_is_found_by_its_street(city: support.Town) -> None:
    found = ports.geo().geocode(city.city_id, "rua dos andradas, 1001", None, None)
    assert found is not None and "Andradas" in found.label and found.distance_m == 0
    near = ports.geo().geocode(city.city_id, "rua dos andradas", *CENTRE)
    assert near is not None and 0 < near.distance_m < 3000
    assert ports.geo().geocode(city.city_id, "qwertzuiop 1", None, None) is None
    assert ports.geo().geocode(city.city_id, "", None, None) is None


def test_without_streets_all_is_by_straight_line() -> None:
    place = support.town()
    points = doors(4)
    streets = reads.streets(place.city_id)
    assert np.array_equal(streets.from_place(CENTRE, points), straight_seconds(points, [CENTRE], "bike")[:, 0])
    assert np.array_equal(reads.matrix(place.city_id, points, points), straight_seconds(points, points, "bike"))
    way = reads.path(place.city_id, CENTRE, (-30.04, -51.21))
    assert len(way.points) == 2 and way.distance_m > 1400
    assert set(reads.svg(place.city_id, (-30.04, -51.23, -30.03, -51.22), 320).values()) == {""}
    assert reads.geocode(place.city_id, "rua dos andradas") is None


def test_what_is_no_map_is_refused_and_changes_nothing(city: support.Town, tmp_path: Path) -> None:
    bad = tmp_path / "bad.osm.pbf"
    bad.write_bytes(b"not a map")
    for path in (bad, tmp_path / "missing.osm.pbf"):
        with pytest.raises(Refused, match="bad_streets"):
            actions.load(actor=THE_SYSTEM, city_id=city.city_id, pbf_path=path)
    with pytest.raises(Refused, match="not_signed_in"):
        actions.load(actor=NOBODY, city_id=city.city_id, pbf_path=bad)
    assert reads.streets(city.city_id).graph is not None


def test_loading_replaces_the_streets() -> None:
    place = support.town()
    assert reads.streets(place.city_id).graph is None
    junctions = actions.load(actor=THE_SYSTEM, city_id=place.city_id, pbf_path=PBF)
    streets = reads.streets(place.city_id)
    assert streets.graph is not None and len(streets.graph.points) == junctions > 1000


def test_all_of_a_citys_stores_by_look_up_by_straight_line_and_by_none(city: support.Town) -> None:
    streets, points, places = reads.streets(city.city_id), doors(5), doors(7, seed=4)
    found = streets.to_places(points, places)
    assert np.array_equal(found[:, 3], streets.to_place(points, (places[3][0], places[3][1])))
    many = doors(reads.MOST_LOOKED_UP + 1, seed=5)
    assert np.array_equal(streets.to_places(points, many), straight_seconds(points, many, "bike"))
    assert streets.to_places([], places).shape == (0, 7) and streets.to_places(points, []).shape == (5, 0)
