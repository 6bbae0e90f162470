"""Load a city's streets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import numpy as np

from highstreet.kernel import clock
from highstreet.kernel.policy import SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.supply.organisations import reads as organisations

from . import reads
from .engine import Mode, read_map, read_streets, streets_index
from .engine.speeds import HOURS, learn
from .models import SpeedFactor, Streets
from .refusals import BAD_STREETS


@action("catalog.manage")
def load(*, actor: Actor, city_id: UUID, pbf_path: Path | str) -> int:
    """Read an OpenStreetMap extract (.osm.pbf) and keep it as the city's streets. Returns its junctions.

    Refuses with BAD_STREETS, and keeps what was there, when the file cannot be read or has no street.
    """
    city = organisations.city(city_id)
    path = Path(pbf_path)
    try:
        graph = read_streets(path)
        layers = read_map(path)
        names = streets_index(path, (city.centre_lat, city.centre_lon))
    except (RuntimeError, OSError, ValueError, IndexError) as error:
        raise Refused(BAD_STREETS, problem=f"{path.name}: {error}"[:160]) from error
    if not len(graph.points):
        raise Refused(BAD_STREETS, problem=f"{path.name}: 0")
    Streets.objects.update_or_create(
        city_id=city.id,
        defaults={
            "graph": graph.to_bytes(),
            "layers": layers.to_bytes(),
            "names": names.to_bytes(),
            "source": path.name[:120],
            "loaded_at": clock.now(),
        },
    )
    reads.forget(city.id)
    return len(graph.points)


@dataclass(frozen=True)
class Trip:
    """One finished ride: from where, to where, when it began and how many seconds it took."""

    start: tuple[float, float]
    end: tuple[float, float]
    began: datetime
    seconds: float


@action(SYSTEM)
def learn_speeds(*, actor: Actor, city_id: UUID, trips: Sequence[Trip], mode: Mode = "bike") -> int:
    """Learn each hour's factor anew from these trips. Returns how many there were; without any, all stays as it was."""
    if not trips:
        return 0
    streets, zone = reads.streets(city_id), organisations.city(city_id).zone
    hours = np.array([trip.began.astimezone(zone).hour for trip in trips], np.int64)
    free = np.array([float(streets.from_place(trip.start, [trip.end], mode)[0]) for trip in trips])
    took = np.array([trip.seconds for trip in trips])
    found = learn(hours, free, took)
    counted = np.bincount(hours, minlength=HOURS)
    now = clock.now()
    for hour in range(HOURS):
        SpeedFactor.objects.update_or_create(
            city_id=city_id,
            mode=mode,
            hour=hour,
            defaults={"factor": float(found[hour]), "trips": int(counted[hour]), "learned_at": now},
        )
    reads.forget(city_id)
    return len(trips)
