"""Which migrations are refused, operation by operation; and that ours are not among them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import models
from django.db.migrations import Migration, operations
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import Q
from django.db.models.functions import Now

from highstreet.kernel.batches import in_batches
from highstreet.ops.migrating import dangers

SMALL = models.CheckConstraint(condition=Q(size__gt=0), name="small")
INDEX = models.Index(fields=["size"], name="by_size")


def state() -> ProjectState:
    found = ProjectState()
    fields: list[tuple[str, models.Field[Any, Any]]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("size", models.IntegerField(null=True)),
        ("name", models.CharField(max_length=20)),
    ]
    found.add_model(ModelState("shop", "Thing", fields))
    return found


def migration(*parts: operations.base.Operation, atomic: bool = True, serving: str = "") -> Migration:
    made = Migration("0002_next", "shop")
    made.operations, made.atomic = list(parts), atomic  # type: ignore[misc]
    made.serving = serving  # type: ignore[attr-defined]
    return made


def nothing(apps: object, editor: object) -> None:
    """A data migration that says nothing of batches."""


def fill() -> operations.RunPython:
    return operations.RunPython(in_batches("shop_thing", "SET size = 1 WHERE size IS NULL"))


REFUSED: list[tuple[str, Migration]] = [
    ("rewritten", migration(operations.AlterField("thing", "size", models.BigIntegerField(null=True)))),
    ("NOT NULL", migration(operations.AlterField("thing", "size", models.IntegerField()))),
    ("rewritten", migration(operations.AlterField("thing", "name", models.CharField(max_length=10)))),
    ("each row", migration(operations.AddField("thing", "at", models.DateTimeField(db_default=Now())))),
    ("db_default", migration(operations.AddField("thing", "old", models.BooleanField(default=False)))),
    ("index", migration(operations.AddField("thing", "code", models.CharField(max_length=9, null=True, unique=True)))),
    ("Concurrently", migration(operations.AddIndex("thing", INDEX))),
    ("NotValid", migration(operations.AddConstraint("thing", SMALL))),
    ("in_batches", migration(operations.RunPython(nothing))),
    ("in_batches", migration(fill())),
    ("nobody can tell", migration(operations.RunSQL("UPDATE shop_thing SET size = 1"))),
    ("next", migration(operations.RemoveField("thing", "size"))),
    ("next", migration(operations.DeleteModel("Thing"))),
]
ALLOWED: list[Migration] = [
    migration(operations.AddField("thing", "more", models.IntegerField(null=True))),
    migration(operations.AddField("thing", "old", models.BooleanField(default=False, db_default=False))),
    migration(operations.AlterField("thing", "name", models.CharField(max_length=40))),
    migration(operations.AlterField("thing", "name", models.TextField())),
    migration(AddIndexConcurrently("thing", INDEX), atomic=False),
    migration(AddConstraintNotValid("thing", SMALL)),
    migration(ValidateConstraint("thing", "small")),
    migration(fill(), atomic=False),
    migration(operations.DeleteModel("Thing"), serving="nothing has read it since 0.4"),
    migration(
        operations.CreateModel("New", [("id", models.BigAutoField(primary_key=True))]),
        operations.AddField("new", "size", models.IntegerField(default=1, db_index=True)),
    ),
]


@pytest.mark.parametrize(("why", "one"), REFUSED)
def test_what_would_make_the_served_wait_is_refused(why: str, one: Migration) -> None:
    assert any(why in line for line in dangers(one, state())), dangers(one, state())


@pytest.mark.parametrize("one", ALLOWED)
def test_what_waits_for_nobody_is_allowed(one: Migration) -> None:
    assert dangers(one, state()) == []
