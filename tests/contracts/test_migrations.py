"""Migrations that were written after the first release may run while the platform serves."""

from __future__ import annotations

from pathlib import Path

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from highstreet.ops.migrating import dangers

# Made before anything was installed anywhere: no released database has to go through them.
BASELINE = Path(__file__).with_name("first_migrations.txt")


def ours() -> list[tuple[str, list[str]]]:
    """Every migration of ours in order, with its dangers."""
    loader = MigrationLoader(None)
    plan = [key for node in loader.graph.leaf_nodes() for key in loader.graph.forwards_plan(node)]
    found, state = [], ProjectState()
    for key in dict.fromkeys(plan):
        migration = loader.graph.nodes[key]
        if migration.__module__.startswith("highstreet."):
            found.append((".".join(key), dangers(migration, state)))
        state = migration.mutate_state(state, preserve=False)
    return found


def test_no_migration_makes_the_served_wait() -> None:
    """One that nobody has installed yet may be listed in first_migrations.txt; released ones say `serving = "why"`."""
    first = set(BASELINE.read_text().split())
    wrong = {name: why for name, why in ours() if why and name not in first}
    assert wrong == {}


def test_the_list_of_first_migrations_names_only_real_ones() -> None:
    known = {name for name, _ in ours()}
    assert set(BASELINE.read_text().split()) <= known
