"""One owner's corner of the world that permissions are tried in."""

from __future__ import annotations

from dataclasses import dataclass, field

from highstreet.supply.organisations.models import Organisation
from highstreet.supply.stores.models import Store
from highstreet.web.console.tests.support import Scene

PLOTS = ("a1", "a2", "f", "b")


@dataclass
class Plot:
    """One owner's things. `values` are public identifiers and the like by name, `marks` its private texts,
    `secrets` what only its customer may ever read."""

    name: str
    scene: Scene
    store: Store
    organisation: Organisation
    values: dict[str, str] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def phone(self) -> str:
        """Its customer's number."""
        at = PLOTS.index(self.name) + 1
        return f"1380000{at}{at}77"

    def mark(self, name: str) -> str:
        """A text of this plot's that stands nowhere else."""
        return self.marks.setdefault(name, f"kanari-{self.name}-{name}")
