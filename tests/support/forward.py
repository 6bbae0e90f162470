"""Five migrations of a table that is in use, run as `highstreet migrate` runs them. Prints the tries each took.

`python -m tests.support.forward` in the environment of a running stack; the server goes on with the old code.
"""

from __future__ import annotations

from functools import partial

import django
from django.db.migrations import Migration
from django.db.migrations.state import ProjectState


def main() -> None:
    django.setup()
    from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
    from django.db import connection, models
    from django.db.migrations import operations
    from django.db.migrations.loader import MigrationLoader

    from highstreet.kernel.batches import in_batches
    from highstreet.ops.migrating import dangers, patiently

    by_channel = models.Index(fields=["channel"], name="order_by_channel")
    known = models.CheckConstraint(condition=models.Q(channel__in=["web", "store"]), name="order_channel_known")
    fill = in_batches("orders_order", "SET channel = 'web' WHERE channel IS NULL")
    steps: list[tuple[operations.base.Operation, bool]] = [
        (operations.AddField("order", "channel", models.CharField(max_length=8, null=True)), True),
        (operations.RunPython(fill), False),
        (AddIndexConcurrently("order", by_channel), False),
        (AddConstraintNotValid("order", known), True),
        (ValidateConstraint("order", "order_channel_known"), True),
    ]
    loader = MigrationLoader(connection)
    state = loader.project_state(loader.graph.leaf_nodes())
    for number, (operation, atomic) in enumerate(steps):
        migration = Migration(f"9{number:03}_forward", "orders")
        migration.operations, migration.atomic = [operation], atomic  # type: ignore[misc]
        assert dangers(migration, state) == [], dangers(migration, state)
        tries = patiently(partial(_apply, migration, state))
        state = migration.mutate_state(state)
        print(f"{type(operation).__name__} {tries}", flush=True)  # noqa: T201


def _apply(migration: Migration, state: ProjectState) -> None:
    from django.db import connection

    with connection.schema_editor(atomic=migration.atomic) as editor:
        migration.apply(state.clone(), editor)


if __name__ == "__main__":
    main()
