"""Streets as arrays: travel times, paths, drawings and names, read once from an OpenStreetMap extract.

Points are always (lat, lon) in WGS-84 degrees, times in seconds, lengths in metres; a box is
(south, west, north, east) in degrees.
"""

from .geo import EARTH_RADIUS_M, MODES, STRAIGHT_MPS, Box, Mode, haversine_m, straight_seconds
from .graph import StreetGraph, TravelPath
from .maps import MapLayers, read_map, svg_layers
from .names import Match, StreetNames, streets_index
from .reading import read_streets

__all__ = [
    "EARTH_RADIUS_M",
    "MODES",
    "STRAIGHT_MPS",
    "Box",
    "MapLayers",
    "Match",
    "Mode",
    "StreetGraph",
    "StreetNames",
    "TravelPath",
    "haversine_m",
    "read_map",
    "read_streets",
    "straight_seconds",
    "streets_index",
    "svg_layers",
]
