"""OSRM and Valhalla, asked over HTTP for tables of seconds, a block at a time.

Sources: OSRM's HTTP API v1, table service (project-osrm.org/docs); Valhalla's matrix service, `sources_to_targets`
(valhalla.github.io/valhalla/api/matrix).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
import numpy as np
from numpy.typing import ArrayLike

from highstreet.kernel.breaker import Breaker, Open

from ..engine import Mode
from ..engine.geo import Floats
from . import Silent

# osrm-routed takes 100 places a table unless it is told otherwise, Valhalla 2,500 pairs.
BLOCK = 50
TIMEOUT = httpx.Timeout(2.0, connect=0.5)
COSTING: dict[Mode, str] = {"bike": "bicycle", "car": "auto", "walk": "pedestrian"}
PROFILE: dict[Mode, str] = {"bike": "bike", "car": "driving", "walk": "foot"}
Asked = Callable[[httpx.Client, str, Floats, Floats, Mode], Any]


@dataclass(frozen=True)
class Outside:
    """One service; `urls` by mode, as an OSRM server knows one vehicle only. Three failures and it is left alone."""

    urls: dict[Mode, str]
    ask: Asked
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=TIMEOUT, trust_env=False))
    breaker: Breaker = field(default_factory=Breaker)

    def matrix(self, sources: ArrayLike, targets: ArrayLike, mode: Mode) -> Floats:
        starts, ends = np.asarray(sources, float).reshape(-1, 2), np.asarray(targets, float).reshape(-1, 2)
        seconds = np.full((len(starts), len(ends)), np.inf)
        if mode not in self.urls:
            raise Silent(f"no address for {mode}")
        for row in range(0, len(starts), BLOCK):
            for column in range(0, len(ends), BLOCK):
                part = np.s_[row : row + BLOCK], np.s_[column : column + BLOCK]
                seconds[part] = self._block(starts[part[0]], ends[part[1]], mode)
        return seconds

    def _block(self, starts: Floats, ends: Floats, mode: Mode) -> Floats:
        try:
            with self.breaker.call(httpx.HTTPError, Silent):
                return _table(self.ask(self.client, self.urls[mode], starts, ends, mode), (len(starts), len(ends)))
        except (Open, httpx.HTTPError, httpx.InvalidURL) as error:
            raise Silent(type(error).__name__) from error


def osrm(client: httpx.Client, url: str, starts: Floats, ends: Floats, mode: Mode) -> Any:
    """`durations` of the table service; each place is named once, sources first."""
    places = ";".join(f"{lon:.6f},{lat:.6f}" for lat, lon in np.vstack([starts, ends]).tolist())
    count, width = len(starts), len(ends)
    answer = client.get(
        f"{url}/table/v1/{PROFILE[mode]}/{places}",
        params={
            "sources": ";".join(str(number) for number in range(count)),
            "destinations": ";".join(str(count + number) for number in range(width)),
            "annotations": "duration",
        },
    )
    body = _json(answer)
    if body.get("code") != "Ok":
        raise Silent(f"osrm: {str(body.get('code'))[:40]}")
    return body.get("durations")


def valhalla(client: httpx.Client, url: str, starts: Floats, ends: Floats, mode: Mode) -> Any:
    """`time` of each pair, by the rows of `sources_to_targets`."""
    asked = {
        "sources": [{"lat": lat, "lon": lon} for lat, lon in starts.tolist()],
        "targets": [{"lat": lat, "lon": lon} for lat, lon in ends.tolist()],
        "costing": COSTING[mode],
        "units": "kilometers",
    }
    body = _json(client.post(f"{url}/sources_to_targets", json=asked))
    found = body.get("sources_to_targets")
    if not isinstance(found, list):
        raise Silent("valhalla: no sources_to_targets")
    try:
        return [[pair["time"] for pair in row] for row in found]
    except (TypeError, KeyError) as error:
        raise Silent("valhalla: a pair without time") from error


ENGINES: dict[str, Asked] = {"osrm": osrm, "valhalla": valhalla}


@cache
def configured(text: str) -> Outside | None:
    """`osrm:bike=http://…,car=http://…` or `valhalla:http://…` (every mode); "" is None. Raises ValueError."""
    if not text:
        return None
    name, _, rest = text.partition(":")
    if name not in ENGINES or not rest:
        raise ValueError(f"{text}: osrm:bike=URL or valhalla:URL")
    urls: dict[Mode, str] = {}
    for part in rest.split(","):
        for mode in COSTING:
            if part.startswith(f"{mode}="):
                urls[mode] = part.removeprefix(f"{mode}=").rstrip("/")
            elif "=" not in part:
                urls[mode] = part.rstrip("/")
    if not urls or not all(url.startswith(("http://", "https://")) for url in urls.values()):
        raise ValueError(f"{text}: osrm:bike=URL or valhalla:URL")
    return Outside(urls, ENGINES[name])


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError as error:
        raise Silent(f"status {answer.status_code}, no JSON") from error
    if not isinstance(body, dict):
        raise Silent(f"status {answer.status_code}, no object")
    return body


def _table(rows: Any, shape: tuple[int, int]) -> Floats:
    """Null is no way; anything but a full table of times is no answer."""
    try:
        seconds = np.array([[np.inf if cell is None else float(cell) for cell in row] for row in rows], float)
    except (TypeError, ValueError) as error:
        raise Silent("no table of seconds") from error
    if seconds.shape != shape or np.isnan(seconds).any() or (seconds < 0).any():
        raise Silent(f"a table of {seconds.shape}, not {shape}")
    return seconds
