"""Ways to make one ride of two bundles: of one store, or of neighbours, where a ride may collect at several.

All are timed in arrays; only what is chosen becomes a `Bundle`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .costs import Packed, pack, unsure_of
from .problem import FAR, Bools, Bundle, Floats, Ints, Problem, shifts


@dataclass(frozen=True)
class Limits:
    """What a bundle may be: so many orders, ready so far apart, and nobody's ride longer by more (seconds).

    Where it may be of several stores: each is one of the `near` nearest to the one before, and no farther than `away`.
    """

    most: int = 4
    apart: float = 600.0
    detour: float = 1800.0
    near: int = 4
    away: float = 300.0


LIMITS = Limits()


@dataclass(frozen=True, eq=False)
class Joins:
    """P joins. rows [P, 2]: the bundle whose doors come first, and the other; route [P] into `routes`, the stores in
    the sequence of the pick-ups; `packed`, as arrays."""

    rows: Ints
    route: Ints
    routes: list[tuple[int, ...]]
    packed: Packed

    def of(self, which: Ints | Bools) -> Joins:
        """Only these."""
        return Joins(self.rows[which], self.route[which], self.routes, self.packed.of(which))

    @property
    def of_one_store(self) -> Bools:
        return np.array([len(stores) == 1 for stores in self.routes], bool)[self.route]

    def bundle(self, row: int) -> Bundle:
        size = int(self.packed.size[row])
        return Bundle(
            self.routes[int(self.route[row])],
            tuple(self.packed.orders[row, :size].tolist()),
            tuple(self.packed.after[row, :size].tolist()),
            float(self.packed.ready[row]),
            float(self.packed.lag[row]),
        )


def joins(problem: Problem, groups: list[Bundle], limits: Limits, stores: int) -> Joins | None:
    """Every join that the limits allow to rides of up to so many `stores`, pick-ups and doors of either bundle first;
    None if there is none."""
    of: dict[tuple[int, ...], list[int]] = {}
    for row, group in enumerate(groups):
        of.setdefault(group.stores, []).append(row)
    routes: list[tuple[int, ...]] = []
    firsts, seconds, begins, swaps = [], [], [], []
    for begun, mine in of.items():
        for added, route in _routes(problem, begun, limits, stores):
            theirs = of.get(added, [])
            if theirs and (added != begun or len(mine) > 1):
                firsts.append(np.repeat(mine, len(theirs)))
                seconds.append(np.tile(theirs, len(mine)))
                begins.append(shifts(problem, route)[route.index(added[0])])
                swaps.append(added != begun)
                routes.append(route)
    if not routes:
        return None
    route_of = np.repeat(np.arange(len(routes)), [len(rows) for rows in firsts])
    one, two = np.concatenate(firsts), np.concatenate(seconds)
    ready = np.maximum([group.ready_in for group in groups], 0.0)
    size = np.array([len(group.orders) for group in groups])
    fits = (one != two) & (size[one] + size[two] <= limits.most) & (np.abs(ready[one] - ready[two]) <= limits.apart)
    one, two, route_of = one[fits], two[fits], route_of[fits]
    swap = np.array(swaps, bool)[route_of]
    head, tail = np.append(one, two[swap]), np.append(two, one[swap])
    again = np.append(np.arange(len(one)), np.flatnonzero(swap))
    parts = pack(problem, groups)
    at = np.maximum(parts.ready[one], parts.ready[two] - np.array(begins)[route_of])
    made = _timed(problem, parts, np.column_stack([head, tail]), route_of[again], routes, at[again])
    found = made.of(_detour(problem, made.packed) <= limits.detour)
    return found if len(found.rows) else None


def _routes(
    problem: Problem, begun: tuple[int, ...], limits: Limits, stores: int
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Whose bundles one of the stores `begun` may be joined with, and all stores in the sequence of the pick-ups."""
    made = [(begun, begun)]
    if len(begun) > 1:
        made += [((store,), begun) for store in begun]
    if len(begun) < stores:
        open_stores = np.unique(problem.store)
        leg = problem.apart[begun[-1], open_stores]
        for place in np.argsort(leg, kind="stable")[: limits.near + len(begun)].tolist():
            store = int(open_stores[place])
            if store not in begun and leg[place] <= limits.away:
                made.append(((store,), (*begun, store)))
    return made


def _timed(
    problem: Problem, parts: Packed, rows: Ints, route: Ints, routes: list[tuple[int, ...]], ready: Floats
) -> Joins:
    head, tail = rows.T
    first, last = (np.array([stores[end] for stores in routes])[route] for end in (0, -1))
    lag = np.array([shifts(problem, stores)[-1] for stores in routes])[route]
    size, end = parts.size[head] + parts.size[tail], (np.arange(len(parts.size)), parts.size - 1)
    first_door, last_door = parts.orders[:, 0], parts.orders[end]
    within = parts.after - parts.after[:, :1]
    ride = problem.to_door[last, first_door[head]] if problem.stores > 1 else problem.drop[first_door[head]]
    stop = problem.service.before_drop + problem.service.after_drop
    then = lag + ride + within[end][head] + stop + problem.between[last_door[head], first_door[tail]]
    column, before = np.arange(int(size.max(initial=1)))[None, :], parts.size[head][:, None]
    real, in_tail = column < size[:, None], column >= before
    source = np.where(in_tail, tail[:, None], head[:, None])
    place = np.where(real, column - np.where(in_tail, before, 0), 0)
    orders = np.where(real, parts.orders[source, place], -1)
    after = within[source, place] + np.where(in_tail, then[:, None], (lag + ride)[:, None])
    packed = Packed(first, ready, lag, unsure_of(problem, orders), size, orders, np.where(real, after, 0.0))
    return Joins(rows, route, routes, packed)


def _detour(problem: Problem, packed: Packed) -> Floats:
    """How much later than by a ride of its own the worst order of each comes."""
    later = np.where(packed.orders >= 0, packed.after - problem.drop[packed.orders], -FAR)
    return np.asarray(later.max(axis=1, initial=-FAR))
