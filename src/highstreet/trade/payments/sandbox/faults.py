"""What can be made to go wrong on demand. Held in memory: a restarted sandbox is a healthy one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields


@dataclass
class Faults:
    """Switches set by POST /sandbox/faults; all times in wall seconds.

    `drop_notifications`: new notifications are never sent. `delay_notifications`: the first try waits.
    `duplicate_notifications`: k further copies of every try, at the same time. `fail_next`: so many API
    calls answer 500 with nothing done; `fail_after_next`: so many are done and then answer 500.
    `slow`: every API answer waits. `not_enough`: refunds are refused for want of balance.
    """

    drop_notifications: bool = False
    delay_notifications: float = 0.0
    duplicate_notifications: int = 0
    fail_next: int = 0
    fail_after_next: int = 0
    slow: float = 0.0
    not_enough: bool = False

    def set(self, wanted: Mapping[str, object]) -> None:
        """Set the named switches, leave the others; {"reset": true} puts all to rest first.

        Raises ValueError for an unknown name, a wrong type or a number outside [0, 3600].
        """
        known = {one.name: one.default for one in fields(self)}
        for name, value in wanted.items():
            if name == "reset" and value is True:
                continue
            default = known.get(name)
            if isinstance(default, bool):
                fits = isinstance(value, bool)
            elif isinstance(default, int):
                fits = type(value) is int and 0 <= value <= 3600
            else:
                fits = isinstance(default, float) and type(value) in (int, float) and _small(value)
            if not fits:
                raise ValueError(f"no such switch or value: {name}")
        chosen = {name: value for name, value in wanted.items() if name != "reset"}
        for name, value in ({**known, **chosen} if "reset" in wanted else chosen).items():
            setattr(self, name, value)

    def take(self, name: str) -> bool:
        """Use up one of a counted fault; whether there was one."""
        left: int = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0

    def state(self) -> dict[str, object]:
        return asdict(self)


def _small(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 3600
