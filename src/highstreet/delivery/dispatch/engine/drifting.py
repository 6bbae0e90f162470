"""Where idle couriers wait: nearer to where the next orders come from."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from .problem import FAR, Floats, Move, Problem

AT_ONCE = 3
# Beyond this a courier is no help, and one who is busy for longer is not counted.
HELPS = 1200.0
SOON = 600.0
SHIFT_LEFT = 1200.0
# What a second's ride must save, over all orders to come.
RIDE = 0.02


def drift(problem: Problem, engaged: Collection[int], least: float) -> list[Move]:
    """Send idle couriers to stores, the best first, while the mean ride to the next order gets shorter by `least`
    seconds. `engaged` have something to do and are not counted on."""
    busy = list(engaged)
    there = np.where(
        (problem.free_in <= SOON)[:, None], problem.to_store + np.maximum(problem.free_in, 0)[:, None], FAR
    )
    there[busy] = FAR
    idle = (problem.free_in <= 0) & (problem.until_off > SHIFT_LEFT)
    idle[busy] = False
    share = problem.demand / max(float(problem.demand.sum()), 1e-9)
    moves: list[Move] = []
    waiting = np.flatnonzero(idle).tolist()
    while waiting and len(moves) < AT_ONCE:
        gain, courier, store = max(_best(problem, there, courier, share) for courier in waiting)
        if gain <= least:
            break
        moves.append(Move(courier, store))
        waiting.remove(courier)
        there[courier] = problem.apart[store]
    return moves


def _best(problem: Problem, there: Floats, courier: int, share: Floats) -> tuple[float, int, int]:
    """What the mean ride gains by this courier's best move, the courier, and the store."""
    others = np.minimum(np.delete(there, courier, axis=0).min(axis=0, initial=FAR), HELPS)
    ride = problem.to_store[courier]
    now = float(np.minimum(others, there[courier]) @ share)
    gain = now - np.minimum(others[None, :], problem.apart) @ share - RIDE * ride
    gain = np.where((ride > 0) & (ride <= HELPS / 2), gain, -FAR)
    store = int(gain.argmax())
    return float(gain[store]), courier, store
