"""The states of an order at a fleet, as we deal with it. What the fleet tells of its courier is in `rules`.

asked: we want it there, and may have asked already. placed: the fleet has it. stopping: we call it off.
dropped: the fleet gave up with our bag in its hands. done, lost (the fleet will not), stopped (we will not): over.
"""

from __future__ import annotations

from highstreet.kernel.states import Machine

MACHINE = Machine(
    name="fleet_order",
    start="asked",
    table={
        ("asked", "place"): "placed",
        ("asked", "lose"): "lost",
        ("placed", "lose"): "lost",
        ("asked", "stop"): "stopping",
        ("placed", "stop"): "stopping",
        ("stopping", "keep"): "placed",
        ("stopping", "end"): "stopped",
        ("asked", "drop"): "dropped",
        ("placed", "drop"): "dropped",
        ("placed", "finish"): "done",
        ("stopping", "finish"): "done",
        ("dropped", "finish"): "done",
    },
    stamps={"placed": "placed_at", "done": "ended_at", "lost": "ended_at", "stopped": "ended_at"},
)
LIVE = ("asked", "placed", "stopping", "dropped")
OVER = ("done", "lost", "stopped")
