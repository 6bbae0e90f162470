"""OSRM and Valhalla by their protocols, against a server that reads requests as their documents say; learned speeds."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from highstreet.delivery.couriers.tests import support
from highstreet.kernel import clock
from highstreet.kernel.policy import THE_SYSTEM

from .. import actions, reads
from ..engine import straight_seconds
from ..engine.speeds import learn
from ..models import SpeedFactor
from ..travel import Silent
from ..travel.outside import BLOCK, Outside, configured

POINTS = [(-30.03, -51.22), (-30.02, -51.21), (-30.04, -51.25)]


class Peer:
    """Both services on one port: twice the straight line's seconds, and no way to anything south of -31."""

    def __init__(self) -> None:
        self.broken: bytes | None = None
        self.asked: list[tuple[int, int]] = []

    def osrm(self, path: str, query: dict[str, list[str]]) -> Any:
        places = [tuple(map(float, pair.split(",")))[::-1] for pair in path.rsplit("/", 1)[1].split(";")]
        rows, columns = ([places[int(n)] for n in query[name][0].split(";")] for name in ("sources", "destinations"))
        return {"code": "Ok", "durations": self.table(rows, columns)}

    def valhalla(self, body: dict[str, Any]) -> Any:
        rows, columns = ([(one["lat"], one["lon"]) for one in body[name]] for name in ("sources", "targets"))
        assert body["costing"] in ("bicycle", "auto", "pedestrian")
        return {
            "sources_to_targets": [
                [{"time": cell, "from_index": i, "to_index": j} for j, cell in enumerate(row)]
                for i, row in enumerate(self.table(rows, columns))
            ]
        }

    def table(self, rows: Any, columns: Any) -> Any:
        self.asked.append((len(rows), len(columns)))
        seconds = 2 * straight_seconds(rows, columns, "bike")
        return [
            [None if b[0] < -31 else cell for cell, b in zip(row, columns, strict=True)] for row in seconds.tolist()
        ]


@contextmanager
def served(peer: Peer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self.answer(peer.osrm(parts.path, parse_qs(parts.query)))

        def do_POST(self) -> None:
            assert self.path == "/sources_to_targets"
            self.answer(peer.valhalla(json.loads(self.rfile.read(int(self.headers["Content-Length"])))))

        def answer(self, said: Any) -> None:
            body = peer.broken if peer.broken is not None else json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


@pytest.fixture(params=["osrm:bike=", "valhalla:"])
def service(request: pytest.FixtureRequest) -> Iterator[tuple[Outside, Peer]]:
    peer = Peer()
    with served(peer) as url:
        found = configured(request.param + url)
        assert found is not None
        yield found, peer


def test_a_table_comes_back_in_its_places(service: tuple[Outside, Peer]) -> None:
    outside, peer = service
    starts, ends = POINTS[:2], [*POINTS, (-31.5, -51.2)]
    found = outside.matrix(starts, ends, "bike")
    assert np.allclose(found[:, :3], 2 * straight_seconds(starts, POINTS, "bike"), atol=0.5)
    assert np.isinf(found[:, 3]).all(), "no way is infinity, not 0"
    assert outside.matrix([], ends, "bike").shape == (0, 4) and len(peer.asked) == 1


def test_large_tables_are_asked_in_blocks(service: tuple[Outside, Peer]) -> None:
    outside, peer = service
    many = np.array(POINTS[0]) + np.random.default_rng(1).uniform(-0.02, 0.02, (BLOCK + 3, 2))
    found = outside.matrix(many, many[: BLOCK + 1], "bike")
    assert np.allclose(found, 2 * straight_seconds(many, many[: BLOCK + 1], "bike"), atol=0.5)
    assert sorted(peer.asked) == sorted([(BLOCK, BLOCK), (BLOCK, 1), (3, BLOCK), (3, 1)])


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"[]",
        b"<html>",
        b'{"code":"NoTable"}',
        b'{"code":"Ok","durations":[[1]]}',
        b'{"sources_to_targets":[[{}]]}',
    ],
)
def test_what_is_no_table_is_silence(service: tuple[Outside, Peer], broken: bytes) -> None:
    outside, peer = service
    peer.broken = broken
    with pytest.raises(Silent):
        outside.matrix(POINTS[:2], POINTS, "bike")


def test_who_is_silent_is_left_alone(service: tuple[Outside, Peer]) -> None:
    outside, peer = service
    peer.broken = b"{}"
    for _ in range(6):
        with pytest.raises(Silent):
            outside.matrix(POINTS[:1], POINTS, "bike")
    assert len(peer.asked) == 3


@pytest.mark.parametrize("text", ["osrm", "osrm:", "graphhopper:http://x", "osrm:bike=ftp://x", "osrm:boat=http://x"])
def test_a_setting_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        configured(text)
    assert configured("") is None


@pytest.mark.django_db
def test_a_city_asks_outside_and_falls_back(settings: Any) -> None:
    place = support.town()
    straight = straight_seconds(POINTS, POINTS, "bike")
    peer = Peer()
    with served(peer) as url:
        settings.TRAVEL = f"valhalla:{url}"
        reads.forget(place.city_id)
        assert np.allclose(reads.matrix(place.city_id, POINTS, POINTS), 2 * straight, atol=0.5)
        streets = reads.streets(place.city_id)
        assert np.allclose(streets.from_place(POINTS[0], POINTS), 2 * straight[0], atol=0.5)
        assert np.allclose(streets.to_place(POINTS, POINTS[1]), 2 * straight[:, 1], atol=0.5)
        peer.broken = b"no"
        assert np.allclose(reads.matrix(place.city_id, POINTS, POINTS), straight)
        assert np.allclose(streets.from_place(POINTS[0], POINTS), straight[0])
    reads.forget(place.city_id)


def test_an_hour_is_learned_from_its_trips_and_few_trips_move_little() -> None:
    rng = np.random.default_rng(5)
    hours = np.repeat([8, 12, 20], [400, 400, 2])
    free = rng.uniform(200, 900, len(hours))
    true = np.select([hours == 8, hours == 12], [1.5, 1.0], 3.0)
    took = free * true * np.exp(rng.normal(0, 0.2, len(hours)))
    took[:800:50] *= 20  # a flat tyre now and then
    found = learn(hours, free, took)
    assert found[8] == pytest.approx(1.5, rel=0.08) and found[12] == pytest.approx(1.0, rel=0.08)
    day = found[3]
    assert 1.05 < day < 1.35, "an hour without trips is like the day"
    assert day < found[20] < 1.5, "two trips are no proof"


def test_without_trips_it_is_free_flow() -> None:
    assert (learn([], [], []) == 1.0).all()
    assert (learn([5, 5], [10, np.inf], [600, 600]) == 1.0).all(), "too short, or no way at all"
    assert learn([5] * 500, [100] * 500, [9000] * 500)[5] == 3.0


@pytest.mark.django_db
def test_a_city_rides_at_what_its_trips_say() -> None:
    place = support.town()
    began = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)  # 8 in the morning there
    free = straight_seconds(POINTS, POINTS, "bike")
    trips = [
        actions.Trip(POINTS[0], POINTS[1], began + timedelta(minutes=n % 60), 1.4 * float(free[0, 1]))
        for n in range(2000)
    ]
    assert actions.learn_speeds(actor=THE_SYSTEM, city_id=place.city_id, trips=trips) == 2000
    assert SpeedFactor.objects.filter(city_id=place.city_id).count() == 24
    slow = reads.matrix(place.city_id, POINTS, POINTS, at=began)
    assert np.allclose(slow, 1.4 * free, rtol=0.02)
    assert np.allclose(reads.matrix(place.city_id, POINTS, POINTS), free), "free flow when no moment is asked for"
    streets = reads.streets(place.city_id)
    assert np.allclose(streets.from_place(POINTS[0], POINTS, at=began), slow[0])
    # Learned again from less, it is of those alone; from nothing, it stays.
    assert actions.learn_speeds(actor=THE_SYSTEM, city_id=place.city_id, trips=trips[:60]) == 60
    assert actions.learn_speeds(actor=THE_SYSTEM, city_id=place.city_id, trips=[]) == 0
    row = SpeedFactor.objects.get(city_id=place.city_id, hour=8)
    assert (row.trips, row.mode) == (60, "bike") and 1.2 < row.factor < 1.4 and row.learned_at <= clock.now()
