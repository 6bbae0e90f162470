"""Street names as an address book: a typed address to a point on its street."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from .geo import Floats, haversine_m, local_metres
from .maps import ROAD_CLASS

SPACING_M = 60.0
SAME_STREET_M = 400.0  # pieces of one name further apart than this are two streets
SHORT = {
    "r": "rua", "av": "avenida", "tv": "travessa", "trav": "travessa", "pca": "praca", "pc": "praca",
    "lgo": "largo", "al": "alameda", "estr": "estrada", "rod": "rodovia", "bc": "beco", "dr": "doutor",
    "dra": "doutora", "prof": "professor", "gen": "general", "cel": "coronel", "mal": "marechal",
    "alm": "almirante", "cap": "capitao", "ten": "tenente", "sen": "senador", "dep": "deputado",
    "pres": "presidente", "eng": "engenheiro", "sta": "santa", "sto": "santo", "pe": "padre", "vol": "voluntarios",
}  # fmt: skip
# Words that many streets share say little about which one is meant.
FAINT = {
    "rua": 0.25,
    "avenida": 0.25,
    "travessa": 0.3,
    "praca": 0.3,
    "beco": 0.3,
    "alameda": 0.3,
    "largo": 0.3,
}
FAINT |= dict.fromkeys(("da", "de", "do", "das", "dos", "e"), 0.1)
HOUSE = re.compile(r"^(?P<street>.*?\D)[,\s]+(?:n[ºo°.]*\s*)?(?P<number>\d{1,5})\s*[a-z]?$", re.IGNORECASE)
LEAST_SCORE = 0.6
ALIKE = 0.7


@dataclass(frozen=True)
class Match:
    """A point that an address may mean; score is 0 to 1, where 1 is every word as written."""

    name: str
    lat: float
    lon: float
    score: float


def words_of(text: str) -> list[str]:
    """Casefolded words without accents or punctuation, abbreviations written out."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return [SHORT.get(word, word) for word in re.findall(r"\w+", plain)]


def _weight(word: str) -> float:
    return FAINT.get(word, 1.0)


def _likeness(word: str, known: Iterable[str]) -> Floats:
    """How alike a word is to each known one, 0 to 1; the first three letters or more count as almost the word."""
    matcher = SequenceMatcher(None, "", word, autojunk=False)
    return np.array([_ratio(matcher, word, other) for other in known])


def _ratio(matcher: SequenceMatcher[str], word: str, other: str) -> float:
    if word == other:
        return 1.0
    if word.isdigit() or other.isdigit():
        return 0.0
    if len(word) >= 3 and other.startswith(word):
        return 0.9
    matcher.set_seq1(other)
    # The two quick bounds spare most words the full comparison.
    if matcher.real_quick_ratio() < ALIKE or matcher.quick_ratio() < ALIKE:
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= ALIKE else 0.0


@dataclass(frozen=True, eq=False)
class StreetNames:
    """n named streets: names [n]; points_from [n + 1] cuts points [k, 2] (lat, lon), in order along each."""

    names: list[str]
    points_from: NDArray[np.int32]
    points: Floats

    def to_bytes(self) -> bytes:
        """The index as one compressed npz file, coordinates rounded to 1e-6 degrees."""
        out = io.BytesIO()
        np.savez_compressed(
            out,
            names=np.frombuffer(json.dumps(self.names, ensure_ascii=False).encode(), np.uint8),
            points_from=self.points_from,
            points=np.rint(self.points * 1e6).astype(np.int32),
        )
        return out.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> StreetNames:
        """The index that `to_bytes` wrote; never unpickles."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            names = json.loads(arrays["names"].tobytes().decode())
            return cls(names, arrays["points_from"], arrays["points"] / 1e6)

    @cached_property
    def _words(self) -> tuple[dict[str, int], list[list[int]], Floats]:
        """The vocabulary, each street's words as numbers in it, and each word's weight."""
        vocabulary: dict[str, int] = {}
        streets = [[vocabulary.setdefault(word, len(vocabulary)) for word in words_of(name)] for name in self.names]
        return vocabulary, streets, np.array([_weight(word) for word in vocabulary])

    def along(self, street: int) -> Floats:
        """The points [k, 2] of street number `street`."""
        return self.points[self.points_from[street] : self.points_from[street + 1]]

    def find(self, text: str, near: tuple[float, float] | None = None, limit: int = 5) -> list[Match]:
        """The streets that a typed address may mean, best first, at most `limit`; [] when nothing is like it.

        A number at the end is a house number: metres along the street from its first point, as numbers run in
        Brazil, and its end when the number is beyond it. Without one it is the point closest to `near`, or
        the middle. Among equal scores the street closest to `near` comes first.
        """
        house = HOUSE.match(text.strip())
        readings: list[tuple[str, int | None]] = [(text, None)]
        if house:
            readings.insert(0, (house["street"], int(house["number"])))
        best: dict[int, tuple[float, int | None]] = {}
        for written, number in readings:
            scores = self._scores(words_of(written))
            for street in np.flatnonzero(scores >= LEAST_SCORE):
                # "Rua 24 de Outubro 1001" reads better with its number off, "Rua 7" with it on.
                if scores[street] > best.get(int(street), (0.0, None))[0] + 1e-9:
                    best[int(street)] = (float(scores[street]), number)
        found = [
            (Match(self.names[street], *self._point(street, number, near), round(score, 3)))
            for street, (score, number) in best.items()
        ]
        here = near or (float(self.points[:, 0].mean()), float(self.points[:, 1].mean()))
        found.sort(key=lambda m: (-m.score, float(haversine_m((m.lat, m.lon), here)), m.name))
        return found[:limit]

    def _scores(self, words: list[str]) -> Floats:
        """For each street: how much of the typed words it has (3/4), and how much of it was typed (1/4)."""
        vocabulary, streets, weight = self._words
        if not words or sum(map(_weight, words)) < 0.5:
            return np.zeros(len(streets))
        typed_weight = np.array([_weight(word) for word in words])
        alike = np.array([_likeness(word, vocabulary) for word in words])
        scores = np.zeros(len(streets))
        for street, numbers in enumerate(streets):
            of_street = alike[:, numbers]
            if not of_street.size or of_street.max() < ALIKE:
                continue
            typed = float(of_street.max(axis=1) @ typed_weight / typed_weight.sum())
            covered = float(of_street.max(axis=0) @ weight[numbers] / weight[numbers].sum())
            scores[street] = 0.75 * typed + 0.25 * covered
        return scores

    def _point(self, street: int, number: int | None, near: tuple[float, float] | None) -> tuple[float, float]:
        points = self.along(street)
        if number is not None:
            metres = np.concatenate([[0.0], np.cumsum(haversine_m(points[:-1], points[1:]))])
            return float(np.interp(number, metres, points[:, 0])), float(np.interp(number, metres, points[:, 1]))
        at = int(haversine_m(points, near).argmin()) if near else len(points) // 2
        return float(points[at, 0]), float(points[at, 1])


def _ordered(points: Floats, centre: tuple[float, float]) -> Floats:
    """One street's scattered vertices [v, 2] as points [k, 2] about SPACING_M apart, from the central end."""
    flat = local_metres(points, float(points[0, 0]))
    flat = flat - flat.mean(axis=0)
    axis = np.linalg.svd(flat, full_matrices=False)[2][0] if len(points) > 1 else np.array([1.0, 0.0])
    along = flat @ axis
    bucket = ((along - along.min()) // SPACING_M).astype(int)
    members: defaultdict[int, list[int]] = defaultdict(list)
    for vertex, number in enumerate(bucket.tolist()):
        members[number].append(vertex)
    # Few vertices a step, thousands of streets: plain numbers are quicker than arrays here.
    ahead, aside = along.tolist(), (flat @ np.array([-axis[1], axis[0]])).tolist()
    kept: list[int] = []
    for number in sorted(members):
        middle = median(ahead[vertex] for vertex in members[number])
        # A vertex of the street, since the mean of two carriageways lies on neither; and one that stays on
        # its carriageway, since crossing over at each step would make the street a fifth longer than it is.
        last = aside[kept[-1]] if kept else None
        costs = [
            abs(ahead[vertex] - middle) / 2 + (abs(aside[vertex] - last) if last is not None else 0.0)
            for vertex in members[number]
        ]
        kept.append(members[number][costs.index(min(costs))])
    line = points[kept]
    return line[::-1] if haversine_m(line[-1], centre) < haversine_m(line[0], centre) else line


def streets_index(pbf_path: Path, centre: tuple[float, float] | None = None) -> StreetNames:
    """Every named street of an OpenStreetMap extract with points along it.

    House numbers count from the end nearer to `centre` (lat, lon), by default the middle of all streets.
    Streets of one name that lie far apart are kept apart.
    """
    vertices: defaultdict[str, list[Floats]] = defaultdict(list)
    import osmium

    kinds, named = osmium.osm.NODE | osmium.osm.WAY, osmium.filter.KeyFilter("name")
    for way in osmium.FileProcessor(str(pbf_path), kinds).with_locations().with_filter(named):
        if not isinstance(way, osmium.osm.Way) or "name" not in way.tags:
            continue
        if (way.tags.get("highway") or "").removesuffix("_link") not in ROAD_CLASS:
            continue
        line = np.array([(node.lat, node.lon) for node in way.nodes if node.location.valid()])
        if len(line) > 1:
            vertices[way.tags["name"]].append(_densified(line))
    middle = centre or tuple(np.concatenate([line for lines in vertices.values() for line in lines]).mean(axis=0))
    names: list[str] = []
    streets: list[Floats] = []
    for name in sorted(vertices):
        for points in _apart(vertices[name]):
            names.append(name)
            streets.append(_ordered(points, (float(middle[0]), float(middle[1]))))
    sizes = np.cumsum([0] + [len(street) for street in streets]).astype(np.int32)
    return StreetNames(names, sizes, np.concatenate(streets))


def _apart(lines: list[Floats]) -> list[Floats]:
    """The vertices of lines of one name, those that lie far apart in a group of their own."""
    points = np.concatenate(lines)
    flat = local_metres(points, float(points[0, 0]))
    if len(lines) == 1 or np.hypot(*np.ptp(flat, axis=0)) <= SAME_STREET_M:
        return [points]
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import KDTree

    tree = KDTree(flat)  # type: ignore[no-untyped-call]
    pairs = tree.query_pairs(SAME_STREET_M, output_type="ndarray")  # type: ignore[no-untyped-call]
    near = csr_matrix((np.ones(len(pairs)), pairs.T), shape=(len(points), len(points)))  # type: ignore[no-untyped-call]
    _, label = connected_components(near, directed=False)
    return [points[label == part] for part in range(int(label.max()) + 1)]


def _densified(line: Floats) -> Floats:
    """A line [k, 2] with points put in so that none is further than SPACING_M / 2 from the next."""
    metres = np.concatenate([[0.0], np.cumsum(haversine_m(line[:-1], line[1:]))])
    at = np.union1d(metres, np.arange(0.0, metres[-1], SPACING_M / 2))
    return np.column_stack([np.interp(at, metres, line[:, axis]) for axis in (0, 1)])
