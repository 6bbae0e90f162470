"""The street engine, on a hand-drawn town and on the demo city's extract."""

from pathlib import Path

import numpy as np
import pytest

import highstreet
from highstreet.delivery.routing.engine import (
    MODES,
    MapLayers,
    Mode,
    StreetGraph,
    StreetNames,
    haversine_m,
    read_map,
    read_streets,
    straight_seconds,
    streets_index,
    svg_layers,
)
from highstreet.delivery.routing.engine.maps import clip_line, clip_ring, merge_lines, simplify

EXTRACT = Path(highstreet.__file__).parent / "twin" / "cities" / "poa" / "streets.osm.pbf"
MARKET, HOSPITAL, STADIUM = (-30.027565, -51.227811), (-30.024909, -51.208565), (-30.06494, -51.236591)

# A square with sides of about 1.1 km at the equator: A-B-C-D, where only A->B is one-way (for bike and car).
TOWN = """<osm version="0.6">
<node id="1" lat="0.00" lon="0.00"/><node id="2" lat="0.00" lon="0.01"/>
<node id="3" lat="0.01" lon="0.01"/><node id="4" lat="0.01" lon="0.00"/>
<node id="5" lat="0.05" lon="0.05"/><node id="6" lat="0.05" lon="0.06"/>
<way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="tertiary"/><tag k="oneway" v="yes"/></way>
<way id="2"><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/><tag k="highway" v="tertiary"/></way>
<way id="3"><nd ref="5"/><nd ref="6"/><tag k="highway" v="residential"/></way>
<way id="4"><nd ref="1"/><nd ref="3"/><tag k="highway" v="residential"/><tag k="access" v="private"/></way>
</osm>"""


@pytest.fixture(scope="module")
def city() -> StreetGraph:
    return read_streets(EXTRACT)


@pytest.fixture(scope="module")
def names() -> StreetNames:
    return streets_index(EXTRACT, MARKET)


@pytest.fixture(scope="module")
def layers() -> MapLayers:
    return read_map(EXTRACT)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> StreetGraph:
    file = tmp_path_factory.mktemp("town") / "town.osm"
    file.write_text(TOWN)
    return read_streets(file)


def test_a_one_way_street_is_long_on_the_way_back_but_not_on_foot(town: StreetGraph) -> None:
    a, b = [(0.0, 0.0)], [(0.0, 0.01)]
    for mode in ("bike", "car"):
        out, back = town.matrix(a, b, mode)[0, 0], town.matrix(b, a, mode)[0, 0]
        assert back > 2.8 * out
    assert town.matrix(a, b, "walk") == pytest.approx(town.matrix(b, a, "walk"))
    assert town.matrix(a, b, "walk")[0, 0] == pytest.approx(1112 / (4.8 / 3.6), rel=0.01)


def test_private_ways_and_islands_are_not_used(town: StreetGraph) -> None:
    diagonal = town.path((0.0, 0.0), (0.01, 0.01), "walk")
    assert diagonal.distance_m == pytest.approx(2 * 1112, rel=0.01)
    assert 4 + 4 * 13 <= len(town.points) <= 4 + 4 * 14 and town.points.max() == pytest.approx(0.01)


def test_the_walk_from_the_door_is_added_and_one_node_is_walked_straight(town: StreetGraph) -> None:
    at, off = town.matrix([(0.0, 0.0), (-0.001, 0.0)], [(0.01, 0.0)], "bike")[:, 0]
    assert off - at == pytest.approx(111.2 / (4.8 / 3.6), rel=0.01)
    near = town.matrix([(0.0, 0.0001)], [(0.0, 0.0002)], "bike")[0, 0]
    assert near == pytest.approx(11.12 * 1.4 / (4.8 / 3.6), rel=0.01)


def test_the_matrix_is_the_same_from_either_side(city: StreetGraph) -> None:
    rng = np.random.default_rng(4)
    many, few = city.points[rng.choice(len(city.points), 9)], city.points[rng.choice(len(city.points), 4)]
    whole = city.matrix(many, few, "bike")
    single = np.array([[city.matrix([s], [t], "bike")[0, 0] for t in few] for s in many])
    assert whole.shape == (9, 4) and np.isfinite(whole).all()
    assert whole == pytest.approx(single)
    assert city.matrix(few, many, "bike").shape == (4, 9)


def test_every_reachable_node_is_reached_both_ways_in_every_mode(city: StreetGraph) -> None:
    node = city.nearest(*MARKET)
    for mode in MODES:
        for reverse in (False, True):
            assert np.isfinite(city.one_to_all(node, mode, reverse)[city.reachable]).all()
    assert city.reachable.mean() > 0.8


def test_one_to_all_agrees_with_the_matrix(city: StreetGraph) -> None:
    shop, home = city.nearest(*MARKET), city.nearest(*STADIUM)
    direct = city.matrix(city.points[[shop]], city.points[[home]], "bike")[0, 0]
    assert city.one_to_all(shop, "bike")[home] == pytest.approx(direct)
    assert city.one_to_all(home, "bike", reverse=True)[shop] == pytest.approx(direct)


@pytest.mark.parametrize("mode", MODES)
def test_a_path_takes_the_matrix_time_and_follows_the_streets(city: StreetGraph, mode: Mode) -> None:
    way = city.path(MARKET, STADIUM, mode)
    assert way.seconds == pytest.approx(city.matrix([MARKET], [STADIUM], mode)[0, 0])
    assert tuple(way.points[0]) == MARKET and tuple(way.points[-1]) == STADIUM
    assert len(way.points) == len(way.cumulative_seconds)
    assert way.cumulative_seconds[0] == 0 and (np.diff(way.cumulative_seconds) >= 0).all()
    straight = float(haversine_m(MARKET, STADIUM))
    assert straight < way.distance_m < 2 * straight


def test_courier_speeds_are_those_of_a_city(city: StreetGraph) -> None:
    kmh = {mode: (w := city.path(MARKET, STADIUM, mode)).distance_m / w.seconds * 3.6 for mode in ("bike", "car")}
    assert 14 < kmh["bike"] < 20 and 15 < kmh["car"] < 32


def test_a_point_is_a_path_to_itself(city: StreetGraph) -> None:
    way = city.path(MARKET, MARKET, "bike")
    assert len(way.points) == 3 and way.seconds < 120


def test_nearest_is_the_same_for_one_and_for_many(city: StreetGraph) -> None:
    many = city.nearest(np.array([MARKET[0], STADIUM[0]]), np.array([MARKET[1], STADIUM[1]]))
    assert [int(node) for node in many] == [city.nearest(*MARKET), city.nearest(*STADIUM)]


def test_the_straight_line_fallback_is_of_the_same_order(city: StreetGraph) -> None:
    places = [MARKET, HOSPITAL, STADIUM]
    straight, real = straight_seconds(places, places, "bike"), city.matrix(places, places, "bike")
    off = ~np.eye(3, dtype=bool)
    assert (np.abs(np.log(straight[off] / real[off])) < np.log(1.7)).all()
    assert straight.diagonal() == pytest.approx(0)


def test_all_three_survive_bytes(city: StreetGraph, names: StreetNames, layers: MapLayers) -> None:
    again = StreetGraph.from_bytes(city.to_bytes())
    assert (again.one_to_all(7, "bike") == city.one_to_all(7, "bike")).all()
    assert StreetNames.from_bytes(names.to_bytes()).find("Ipiranga 3000")[0].name == "Avenida Ipiranga"
    copy = MapLayers.from_bytes(layers.to_bytes())
    assert copy.names == layers.names and copy.size() == layers.size()
    assert copy.roads["minor"][5] == pytest.approx(layers.roads["minor"][5], abs=1e-6)
    assert MapLayers.from_bytes(MapLayers().to_bytes()).size() == 0


@pytest.mark.parametrize("width", [0.004, 0.01, 0.02, 0.031])
def test_a_small_map_is_drawn_in_40_kb(layers: MapLayers, width: float) -> None:
    bbox = (-30.035 - width / 2, -51.21 - width / 2, -30.035 + width / 2, -51.21 + width / 2)
    drawn = svg_layers(layers.clip(bbox), bbox, 720)
    assert list(drawn) == ["water", "green", "path", "minor", "major"]
    assert 200 < sum(map(len, drawn.values())) <= 40_000
    assert set("".join(drawn.values())) <= set("Mlz -0123456789")


def test_lines_and_rings_are_cut_at_the_box() -> None:
    box = (0.0, 0.0, 1.0, 1.0)
    (line,) = clip_line(np.array([[0.5, -1.0], [0.5, 0.5], [0.5, 3.0]]), box)
    assert line.tolist() == [[0.5, 0.0], [0.5, 0.5], [0.5, 1.0]]
    twice = clip_line(np.array([[0.2, -1.0], [0.2, 2.0], [0.8, 2.0], [0.8, -1.0]]), box)
    assert len(twice) == 2
    ring = clip_ring(np.array([[-1.0, -1.0], [-1.0, 0.5], [0.5, 0.5], [0.5, -1.0], [-1.0, -1.0]]), box)
    assert ring.min() == 0 and ring.max() == 0.5 and ring[0].tolist() == ring[-1].tolist()
    assert clip_ring(np.array([[5.0, 5.0], [5.0, 6.0], [6.0, 6.0], [5.0, 5.0]]), box).size == 0


def test_simplify_keeps_corners_and_merge_joins_only_plain_ends() -> None:
    line = np.array([[0, 0], [0, 0.001], [0.000001, 0.002], [0, 0.003], [0.003, 0.003]], float)
    assert simplify(line, 5.0).tolist() == line[[0, 3, 4]].tolist()
    assert merge_lines([[1, 2], [3, 2], [3, 4]]) in ([[1, 2, 3, 4]], [[4, 3, 2, 1]])
    assert len(merge_lines([[1, 2], [2, 3], [2, 4]])) == 3
    assert len(merge_lines([[1, 2, 1]])) == 1


@pytest.mark.parametrize(
    ("typed", "street"),
    [
        ("Rua dos Andradas 1001", "Rua dos Andradas"),
        ("rua dos andrdas, 1001", "Rua dos Andradas"),
        ("Av. Protasio Alves nº 2500", "Avenida Protásio Alves"),
        ("24 de outubro 1001", "Rua 24 de Outubro"),
        ("Rua 24 de Outubro", "Rua 24 de Outubro"),
        ("r gen camara", "Rua General Câmara"),
        ("Ramiro barcelos 2350b", "Rua Ramiro Barcelos"),
        ("OSVALDO ARANHA", "Avenida Osvaldo Aranha"),
    ],
)
def test_typed_addresses_find_their_street(names: StreetNames, typed: str, street: str) -> None:
    best, *_ = names.find(typed)
    assert best.name == street and best.score > 0.9
    assert names.find(typed)[0] == best


def test_house_numbers_run_along_the_street_and_end_with_it(names: StreetNames) -> None:
    low, high = names.find("Avenida Ipiranga 500")[0], names.find("Avenida Ipiranga 2500")[0]
    assert 1800 < float(haversine_m((low.lat, low.lon), (high.lat, high.lon))) <= 2000
    beyond, end = names.find("Avenida Ipiranga 90000")[0], names.find("Avenida Ipiranga 80000")[0]
    assert beyond == end


def test_nonsense_finds_nothing_and_near_decides_between_equals(names: StreetNames) -> None:
    assert names.find("xyzzy") == names.find("") == names.find("rua") == names.find("1001") == []
    double = next(name for name in names.names if names.names.count(name) > 1)
    for street in [at for at, name in enumerate(names.names) if name == double]:
        here = names.along(street)[0]
        best = names.find(double, near=(float(here[0]), float(here[1])))[0]
        assert best.name == double and float(haversine_m((best.lat, best.lon), here)) < 1
