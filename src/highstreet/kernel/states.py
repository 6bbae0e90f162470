"""State machines as tables: `{(state, event): state}`. `move` is one conditional UPDATE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models

from . import clock, failpoints, rows
from .ids import new_id
from .refusal import Refused
from .refusals import WRONG_STATE

if TYPE_CHECKING:
    from .models import StateChange


@dataclass(frozen=True)
class Machine:
    """`name` of the axis (for the history), its `table`, and where it starts."""

    name: str
    start: str
    table: Mapping[tuple[str, str], str]
    column: str = "status"
    stamps: Mapping[str, str] = field(default_factory=dict)

    def sources(self, event: str) -> list[str]:
        return sorted(state for (state, name) in self.table if name == event)

    def states(self) -> set[str]:
        return {self.start} | {state for state, _ in self.table} | set(self.table.values())

    def finals(self) -> set[str]:
        return self.states() - {state for state, _ in self.table}


def move(machine: Machine, row: models.Model, event: str, *, actor: str, note: str = "", **columns: Any) -> str:
    """Fire `event` on `row`: one UPDATE per source state whose row count is checked, and its history.

    `columns` are set in the same UPDATE. A time stamp is set where `machine.stamps` names one for the
    new state. Returns the new state; refuses with WRONG_STATE and leaves the row unchanged otherwise.
    Must run inside a transaction.
    """
    model = type(row)
    current = getattr(row, machine.column)
    sources = machine.sources(event)
    for state in sorted(sources, key=lambda name: name != current):
        target = machine.table[(state, event)]
        values = {machine.column: target, **columns}
        if target in machine.stamps:
            values.setdefault(machine.stamps[target], clock.now())
        moved = model._default_manager.filter(pk=row.pk, **{machine.column: state}).update(**values)
        if moved == 1:
            for name, value in values.items():
                setattr(row, name, value)
            rows.put([_change(machine, row, event, state, target, actor, note)])
            failpoints.reach(f"states.{machine.name}", event)
            return target
    row.refresh_from_db(fields=[machine.column])
    raise Refused(WRONG_STATE, state=getattr(row, machine.column))


def begin(machine: Machine, row: models.Model, event: str, *, actor: str) -> None:
    """Fire `event` on a row that is not written yet: it starts in the event's state, with its history."""
    target = machine.table[(machine.start, event)]
    setattr(row, machine.column, target)
    rows.put([_change(machine, row, event, machine.start, target, actor, "")])
    failpoints.reach(f"states.{machine.name}", event)


def _change(machine: Machine, row: models.Model, event: str, was: str, now: str, actor: str, note: str) -> StateChange:
    from .models import StateChange

    return StateChange(
        id=new_id(),
        machine=machine.name,
        subject=_key(row),
        event=event,
        was=was,
        now=now,
        actor=actor,
        note=note[:200],
        at=clock.now(),
    )


def _key(row: models.Model) -> UUID:
    assert isinstance(row.pk, UUID)
    return row.pk


@dataclass(frozen=True)
class Change:
    """One step of a row's path: who fired what, when, and why."""

    machine: str
    subject: UUID
    event: str
    was: str
    now: str
    actor: str
    note: str
    at: datetime


def history(subjects: Iterable[UUID]) -> list[Change]:
    """The paths of these rows, oldest first. Whoever calls has checked that they may be seen."""
    from .models import StateChange

    found = StateChange.objects.filter(subject__in=list(subjects)).order_by("at", "id")
    return [Change(row.machine, row.subject, row.event, row.was, row.now, row.actor, row.note, row.at) for row in found]
