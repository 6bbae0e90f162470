"""Free-flow travel seconds from somewhere: a straight line, the city's street graph, OSRM or Valhalla over HTTP.

All are behind one interface, so that nothing else knows which it was. What couriers really took is `engine/speeds.py`.
"""

from __future__ import annotations

from typing import Protocol

from numpy.typing import ArrayLike

from ..engine import Mode, straight_seconds
from ..engine.geo import Floats


class Travel(Protocol):
    """`matrix`: seconds [n, m] from [n, 2] (lat, lon) to [m, 2]; inf where no way is. Raises `Silent`."""

    def matrix(self, sources: ArrayLike, targets: ArrayLike, mode: Mode) -> Floats: ...


class Silent(Exception):
    """A service outside did not answer, or not what its protocol says."""


class Straight:
    """As the crow flies, lengthened as streets usually do."""

    def matrix(self, sources: ArrayLike, targets: ArrayLike, mode: Mode) -> Floats:
        return straight_seconds(sources, targets, mode)
