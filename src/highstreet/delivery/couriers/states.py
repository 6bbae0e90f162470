"""A planned shift's states. A draft is the planner's; what is published is the couriers', too."""

from __future__ import annotations

from highstreet.kernel.states import Machine

MACHINE = Machine(
    name="roster_shift",
    start="draft",
    table={
        ("draft", "open"): "open",
        ("draft", "give"): "taken",
        ("open", "take"): "taken",
        ("taken", "offer"): "offered",
        ("offered", "keep"): "taken",
        ("offered", "take"): "taken",
        ("open", "withdraw"): "withdrawn",
        ("taken", "release"): "open",
        ("offered", "release"): "open",
    },
)
# Somebody has it and will come, or it waits for somebody.
HELD = ("taken", "offered")
FREE = ("open", "offered")
PUBLISHED = ("open", "taken", "offered")
