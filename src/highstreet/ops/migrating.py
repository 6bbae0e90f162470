"""Migrations that run while the platform serves: what may not be among them, and how long one waits for a lock.

A statement that waits for a lock makes everybody wait who comes after it, so it gives up after `LOCK_SECONDS` and tries
again later. What would rewrite a table, or lock it for as long as it takes to read it, is refused before it starts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import structlog
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, RemoveIndexConcurrently
from django.db import OperationalError, connection, models
from django.db.migrations import Migration, operations
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

log = structlog.get_logger(__name__)
# Well below the two seconds that a statement of a server may take (web.server): who waits behind us is still answered.
LOCK_SECONDS = 0.5
TRIES = 8
MIGRATING = 0x68735F6D  # "hs_m"
_HARMLESS = (
    operations.CreateModel,
    operations.AlterModelOptions,
    operations.AlterModelManagers,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    AddConstraintNotValid,
    operations.RemoveIndex,
    operations.RemoveConstraint,
    operations.RenameIndex,
    operations.SeparateDatabaseAndState,
)
_LEAVES = (operations.RemoveField, operations.DeleteModel, operations.RenameField, operations.RenameModel)


def dangers(migration: Migration, before: ProjectState) -> list[str]:
    """Why this migration must not run while the platform serves; empty when it may.

    `serving = "…"` in the migration's class says why it may all the same. A table that the migration itself makes
    is nobody's yet.
    """
    if getattr(migration, "serving", ""):
        return []
    found, state, fresh = [], before.clone(), set[str]()
    for operation in migration.operations:
        if isinstance(operation, operations.CreateModel):
            fresh.add(operation.name.lower())
        name = str(getattr(operation, "model_name", getattr(operation, "name", ""))).lower()
        if name not in fresh:
            found += [f"{operation.describe()}: {why}" for why in _why(operation, migration, state)]
        operation.state_forwards(migration.app_label, state)
    return found


def _why(operation: Operation, migration: Migration, state: ProjectState) -> Iterator[str]:
    if type(operation).__name__ == "ValidateConstraint" or isinstance(operation, _HARMLESS):
        return
    if isinstance(operation, operations.AddField):
        yield from _field_added(operation.field)
    elif isinstance(operation, operations.AlterField):
        old = state.models[migration.app_label, operation.model_name.lower()].fields[operation.name]
        yield from _field_altered(old, operation.field)
    elif isinstance(operation, operations.AddIndex):
        yield "locks the table while the index is built; use AddIndexConcurrently, atomic = False"
    elif isinstance(operation, operations.AddConstraint):
        yield "reads the table under a lock; use AddConstraintNotValid, then ValidateConstraint in the next migration"
    elif isinstance(operation, operations.RunPython):
        if not getattr(operation.code, "batched", False) or migration.atomic:
            yield "holds its rows until all are done; write it with `in_batches` and atomic = False"
    elif isinstance(operation, _LEAVES):
        yield "what runs now still uses it; stop using it in one release and remove it in the next"
    else:
        yield "nobody can tell what this locks"


def _field_added(field: models.Field) -> Iterator[str]:  # type: ignore[type-arg]
    if isinstance(field, models.GeneratedField | models.AutoField):
        yield "computes every row, so the table is rewritten"
    if field.has_db_default() and not isinstance(field.db_default, models.Value | str | int | float | bool):
        yield "a default that is computed for each row rewrites the table; fill it in batches"
    if field.unique or _indexed(field):
        yield "its index is built under a lock; add the field without, then the index concurrently"
    if not field.null and not field.has_default() and not field.has_db_default():
        yield "rows that exist have no value for it"
    if not field.null and not field.has_db_default() and not field.is_relation:
        yield "what runs now inserts rows without it; give it a db_default"


def _field_altered(old: models.Field, new: models.Field) -> Iterator[str]:  # type: ignore[type-arg]
    was, will = old.db_type(connection), new.db_type(connection)
    if was != will and not _widens(old, new):
        yield f"{was} becomes {will}: the table is rewritten; add a field beside it"
    if old.null and not new.null:
        yield "reads the table under a lock; add a CHECK that is not valid, validate it, then NOT NULL is free"
    if (new.unique and not old.unique) or (_indexed(new) and not _indexed(old)):
        yield "its index is built under a lock; use AddIndexConcurrently"


def _indexed(field: models.Field) -> bool:  # type: ignore[type-arg]
    return bool(getattr(field, "db_index", False))


def _widens(old: models.Field, new: models.Field) -> bool:  # type: ignore[type-arg]
    """varchar(n) to varchar(m >= n) or text changes only the catalogue."""
    if not isinstance(old, models.CharField):
        return False
    if isinstance(new, models.TextField):
        return True
    return isinstance(new, models.CharField) and (new.max_length or 1 << 30) >= (old.max_length or 1 << 30)


def pending() -> list[tuple[Migration, list[str]]]:
    """The migrations to apply, each with its dangers; none is dangerous to a database that holds nothing yet."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not executor.loader.applied_migrations:
        return [(migration, []) for migration, _ in plan]
    state = executor.loader.project_state(list(executor.loader.applied_migrations))
    found = []
    for migration, _ in plan:
        ours = migration.__module__.startswith("highstreet.")
        found.append((migration, dangers(migration, state) if ours else []))
        state = migration.mutate_state(state, preserve=False)
    return found


def patiently(work: Callable[[], object], *, tries: int = TRIES, lock_seconds: float = LOCK_SECONDS) -> int:
    """Run `work`, which can be begun again, with a short patience for locks. Returns how often it had to try.

    One machine migrates at a time; an index that an earlier try left half-built is dropped first.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, false), set_config('statement_timeout', '0', false)",
            [f"{int(lock_seconds * 1000)}ms"],
        )
        _until_alone(cursor)
    try:
        for attempt in range(1, tries + 1):
            _drop_half_built()
            try:
                work()
                return attempt
            except OperationalError as error:
                if "lock timeout" not in str(error) or attempt == tries:
                    raise
                log.warning("migrate.waits", attempt=attempt, error=str(error).splitlines()[0])
                time.sleep(min(0.5 * 2**attempt, 10.0))
        raise AssertionError("unreachable")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATING])


def _until_alone(cursor: Any) -> None:
    while True:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [MIGRATING])
        if cursor.fetchone()[0]:
            return
        time.sleep(0.5)


def _drop_half_built() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT i.indisvalid AND n.nspname = 'public'"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {connection.ops.quote_name(name)}")
