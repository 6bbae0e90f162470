"""The street graph: nodes at junctions, directed edges with seconds for each mode, Dijkstra by scipy."""

from __future__ import annotations

import io
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .geo import MODES, WALK_MPS, Floats, Mode, haversine_m, local_metres, straight_seconds

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from scipy.spatial import KDTree

# scipy is imported where it is used: it costs a process 45 MB and a second, and most cities' pages need no graph.
Ints = NDArray[np.int32]


@dataclass(frozen=True)
class TravelPath:
    """One way from a door to a door: points [k, 2], seconds since the start at each [k], and the totals."""

    points: Floats
    seconds: float
    distance_m: float
    cumulative_seconds: Floats


@dataclass(frozen=True, eq=False)
class Links:
    """One mode's view of the graph: seconds as a CSR matrix, its transpose, the edge behind each entry."""

    forward: csr_matrix
    backward: csr_matrix
    edge_of_entry: Ints

    def edge(self, tail: int, head: int) -> int:
        """The number of the quickest edge from node `tail` to node `head`, which must exist."""
        start, end = int(self.forward.indptr[tail]), int(self.forward.indptr[tail + 1])
        return int(self.edge_of_entry[start + int(np.searchsorted(self.forward.indices[start:end], head))])


@dataclass(frozen=True, eq=False)
class StreetGraph:
    """Streets as n nodes and m directed edges.

    points [n, 2] (lat, lon); reachable [n] says a node is connected both ways in every mode, and only such
    are ever snapped to; tails, heads [m]; length_m [m]; bike, car, walk [m] seconds, inf where the mode may
    not go; shape_from [m + 1] cuts shape [s, 2], every edge's (lat, lon) from tail to head, ends included.
    """

    points: Floats
    reachable: NDArray[np.bool_]
    tails: Ints
    heads: Ints
    length_m: NDArray[np.float32]
    bike: NDArray[np.float32]
    car: NDArray[np.float32]
    walk: NDArray[np.float32]
    shape_from: Ints
    shape: Floats

    def to_bytes(self) -> bytes:
        """The graph as one compressed npz file."""
        out = io.BytesIO()
        np.savez_compressed(out, **{field.name: getattr(self, field.name) for field in fields(self)})
        return out.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> StreetGraph:
        """The graph that `to_bytes` wrote; never unpickles."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return cls(**{field.name: arrays[field.name] for field in fields(cls)})

    @cached_property
    def latitude(self) -> float:
        """The latitude at which the local plane touches."""
        return float(self.points[:, 0].mean())

    @cached_property
    def _snap(self) -> tuple[KDTree, NDArray[np.intp]]:
        nodes = np.flatnonzero(self.reachable)
        from scipy.spatial import KDTree

        tree = KDTree(local_metres(self.points[nodes], self.latitude))  # type: ignore[no-untyped-call]
        return tree, nodes

    @cached_property
    def _links(self) -> dict[Mode, Links]:
        return {mode: self._links_of(mode) for mode in MODES}

    def _links_of(self, mode: Mode) -> Links:
        seconds: NDArray[np.float32] = getattr(self, mode)
        edges = np.flatnonzero(np.isfinite(seconds))
        order = edges[np.lexsort((seconds[edges], self.heads[edges], self.tails[edges]))]
        # Parallel edges: scipy would add them up, so only the quickest of each pair stays.
        first = np.ones(len(order), bool)
        first[1:] = (np.diff(self.tails[order]) != 0) | (np.diff(self.heads[order]) != 0)
        kept, n = order[first], len(self.points)
        starts = np.searchsorted(self.tails[kept], np.arange(n + 1)).astype(np.int32)
        from scipy.sparse import csr_matrix

        forward = csr_matrix((seconds[kept].astype(float), self.heads[kept], starts), shape=(n, n))  # type: ignore[no-untyped-call]
        return Links(forward, forward.T.tocsr(), kept.astype(np.int32))

    @overload
    def nearest(self, lat: float, lon: float) -> int: ...
    @overload
    def nearest(self, lat: Floats, lon: Floats) -> NDArray[np.intp]: ...
    def nearest(self, lat: float | Floats, lon: float | Floats) -> int | NDArray[np.intp]:
        """The reachable node nearest to a point, or [k] of them for [k] latitudes and longitudes."""
        tree, nodes = self._snap
        _, found = tree.query(local_metres(np.stack([lat, lon], axis=-1), self.latitude))  # type: ignore[no-untyped-call]
        return int(nodes[found]) if np.ndim(lat) == 0 else np.asarray(nodes[found], np.intp)

    def _doors(self, points: ArrayLike) -> tuple[Floats, NDArray[np.intp], Floats]:
        """Points [k, 2] as an array, their nodes [k], and the seconds [k] to walk between the two."""
        places = np.atleast_2d(np.asarray(points, float))
        nodes = self.nearest(places[:, 0], places[:, 1])
        return places, nodes, haversine_m(places, self.points[nodes]) / WALK_MPS

    def one_to_all(self, node: int, mode: Mode, reverse: bool = False) -> Floats:
        """Seconds [n] from `node` to every node, or with `reverse` from all to it; inf where no way is."""
        links = self._links[mode]
        from scipy.sparse.csgraph import dijkstra

        return np.asarray(dijkstra(links.backward if reverse else links.forward, indices=node), float)

    def matrix(self, sources: ArrayLike, targets: ArrayLike, mode: Mode) -> Floats:
        """Seconds [n, m] from each of [n, 2] points to each of [m, 2], door to door.

        The way between a door and its nearest node is walked. Runs one Dijkstra a distinct node on the side
        that has fewer of them. Two doors at the same node are walked between directly.
        """
        starts, start_nodes, leave = self._doors(sources)
        ends, end_nodes, arrive = self._doors(targets)
        from_nodes, from_index = np.unique(start_nodes, return_inverse=True)
        to_nodes, to_index = np.unique(end_nodes, return_inverse=True)
        links = self._links[mode]
        from scipy.sparse.csgraph import dijkstra

        if len(to_nodes) < len(from_nodes):
            between = dijkstra(links.backward, indices=to_nodes)[:, from_nodes].T
        else:
            between = dijkstra(links.forward, indices=from_nodes)[:, to_nodes]
        seconds = between[np.ix_(from_index, to_index)] + leave[:, None] + arrive[None, :]
        same = start_nodes[:, None] == end_nodes[None, :]
        if same.any():
            seconds[same] = np.minimum(seconds, straight_seconds(starts, ends, "walk"))[same]
        return np.asarray(seconds, float)

    def path(self, source: ArrayLike, target: ArrayLike, mode: Mode) -> TravelPath:
        """The quickest way from one (lat, lon) to another, with the streets' own shape.

        Starts and ends at the very points. Raises ValueError if the mode has no way between them, which
        cannot happen for a graph that `read_streets` made.
        """
        places, nodes, door_seconds = self._doors(np.array([source, target], float))
        start, end = int(nodes[0]), int(nodes[1])
        links = self._links[mode]
        from scipy.sparse.csgraph import dijkstra

        reach, previous = dijkstra(links.forward, indices=start, return_predecessors=True)
        if not np.isfinite(reach[end]):
            raise ValueError(f"no way by {mode} between nodes {start} and {end}")
        visited = [end]
        while visited[-1] != start:
            visited.append(int(previous[visited[-1]]))
        visited.reverse()
        points, seconds = [places[:1], self.points[start][None]], [np.array([0.0, door_seconds[0]])]
        taken: NDArray[np.float32] = getattr(self, mode)
        for tail, head in pairwise(visited):
            edge = links.edge(tail, head)
            shape = self.shape[self.shape_from[edge] : self.shape_from[edge + 1]]
            along = np.cumsum(haversine_m(shape[:-1], shape[1:]))
            share = along / along[-1] if along[-1] > 0 else np.linspace(0, 1, len(along))
            points.append(shape[1:])
            seconds.append(seconds[-1][-1] + share * float(taken[edge]))
        points.append(places[1:])
        seconds.append(seconds[-1][-1:] + door_seconds[1])
        line, clock = np.concatenate(points), np.concatenate(seconds)
        return TravelPath(line, float(clock[-1]), float(haversine_m(line[:-1], line[1:]).sum()), clock)
