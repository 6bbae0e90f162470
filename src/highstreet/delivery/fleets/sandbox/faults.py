"""What can be made to go wrong. A ride keeps the faults that were on when it began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True)
class Faults:
    """Switches set by POST /sandbox/faults.

    `repeat`: further copies of each callback. `shuffle`: callbacks are kept to the end and sent in any order. `skip`:
    only the last is sent. `silent`: none is. `lose`: so many of the first are not. `cancel_at`: the fleet cancels when
    it has got that far. `nobody_home`: it comes back from the door. `stuck_at`: it gets no farther. `forget`: the fleet
    does not know it any more. `refuse`: it is not taken. `lost_answer`: it is taken, and the answer lost. `down`: no
    call is answered.
    """

    repeat: int = 0
    shuffle: bool = False
    skip: bool = False
    silent: bool = False
    lose: int = 0
    cancel_at: str = ""
    nobody_home: bool = False
    stuck_at: str = ""
    forget: bool = False
    refuse: bool = False
    lost_answer: bool = False
    down: bool = False

    def but(self, wanted: Mapping[str, Any]) -> Faults:
        """Others, with these in place of what they were; {"reset": true} begins from none. ValueError for what is no
        switch, or no value of it."""
        known = {one.name: one.default for one in fields(self)}
        chosen = {name: value for name, value in wanted.items() if name != "reset"}
        for name, value in chosen.items():
            if name not in known or type(value) is not type(known[name]):
                raise ValueError(f"no such switch or value: {name}")
        return replace(Faults() if wanted.get("reset") else self, **chosen)
