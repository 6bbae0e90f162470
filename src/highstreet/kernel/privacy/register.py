"""The register: which tables say something about a person, what for, and how it is given out and forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec

from django.conf import settings

from ..refusal import Reason

WHOSE = ("customer", "user", "courier", "employee")
BUSINESS = "business"
WALL = "wall"
NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True)
class Period:
    """How long something is kept: rows of `t` for which `past` holds are over.

    `past` is SQL in which %(until)s is now less `days`, by business time or, for tables that libraries stamp,
    by the wall's. With `columns` (name: SQL value) those are overwritten, without them the row is deleted.
    `says` completes "kept …" in the documentation.
    """

    days: float
    past: str
    says: str
    columns: Mapping[str, str] = field(default_factory=dict)
    stamp: str = BUSINESS


@dataclass(frozen=True)
class Open:
    """Why a person cannot be erased yet: any of their rows for which `where` (SQL over `t`) holds."""

    where: str
    reason: Reason


@dataclass(frozen=True)
class Table:
    """A table with personal data. `rows` is SQL over `t` that finds a person's rows by scopes (see `persons`).

    On erasure `blank` (column: SQL value) is overwritten and, with `delete`, every row goes that nothing kept
    refers to; `keeps` says why the rest stays. `plain` are the columns of text, JSON or coordinates that say
    nothing about a person; `secret` those that are never given out. All others of these types must be in `blank`,
    unless the row is deleted. `also` finds rows that are about the person but belong to another (what a courier
    brought): they are given out without `blank`, and an erasure leaves them.
    """

    name: str
    whose: tuple[str, ...]
    purpose: str
    rows: str
    blank: Mapping[str, str] = field(default_factory=dict)
    delete: bool = False
    keeps: str = ""
    also: str = ""
    plain: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    open: tuple[Open, ...] = ()
    periods: tuple[Period, ...] = ()

    def __post_init__(self) -> None:
        if not set(self.whose) <= set(WHOSE) or not self.whose:
            raise ValueError(f"{self.name}: whose? {self.whose}")
        if not self.delete and not self.keeps:
            raise ValueError(f"{self.name}: say why it stays")


@dataclass(frozen=True)
class Place:
    """Somewhere outside the database where personal data stands: what, and when it is gone."""

    name: str
    holds: str
    until: str


_tables: dict[str, Table] = {}
_impersonal: dict[str, str] = {}
_impersonal_periods: dict[str, tuple[Period, ...]] = {}
_places: dict[str, Place] = {}


def personal(table: Table) -> None:
    """Declare a table. Each is declared once, by the package that owns it."""
    if table.name in _tables and _tables[table.name] != table:
        raise ValueError(f"{table.name} is declared twice")
    _tables[table.name] = table


def impersonal(why: str, *names: str, periods: tuple[Period, ...] = ()) -> None:
    """Declare tables that say nothing about any person; they too may have periods."""
    for name in names:
        _impersonal[name] = why
        _impersonal_periods[name] = periods


def place(name: str, *, holds: str, until: str) -> None:
    """Declare a place outside the database."""
    _places[name] = Place(name, holds, until)


def tables() -> dict[str, Table]:
    """Every personal table by its name."""
    return dict(_tables)


def harmless() -> dict[str, str]:
    """Every table that says nothing about a person, and why."""
    return dict(_impersonal)


def places() -> list[Place]:
    return [_places[name] for name in sorted(_places)]


def periods() -> dict[str, tuple[Period, ...]]:
    """Every declared period by its table."""
    kept = {name: table.periods for name, table in _tables.items() if table.periods}
    return kept | {name: found for name, found in _impersonal_periods.items() if found}


def discover() -> None:
    """Read the `privacy` room of every feature that has one. Called when the application is ready."""
    from . import own  # noqa: F401  the kernel's own tables

    for feature in settings.FEATURES:
        name = f"highstreet.{feature}.privacy"
        if feature != "kernel" and find_spec(f"highstreet.{feature}") and find_spec(name):
            import_module(name)
