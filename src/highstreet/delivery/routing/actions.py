"""Load a city's streets."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from highstreet.kernel import clock
from highstreet.kernel.policy import Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.supply.organisations import reads as organisations

from . import reads
from .engine import read_map, read_streets, streets_index
from .models import Streets
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
