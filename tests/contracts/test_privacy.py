"""The register of personal data against the database's own catalogue: nothing about a person is undeclared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from django.core.cache import cache

from highstreet.kernel import privacy
from highstreet.kernel.privacy import catalogue, persons
from highstreet.kernel.privacy import register as rooms
from highstreet.kernel.privacy.catalogue import Reference
from highstreet.kernel.privacy.register import Table
from highstreet.kernel.privacy.words import PURPOSES, as_markdown

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
# Where people are: whoever refers to these, directly or through others, may say something about one.
PEOPLE = ("customers_customer", "accounts_user", "couriers_courier", "staff_employee")
# References without a foreign key, by the columns' names.
FREE = ("order_id", "fulfilment_id", "delivery_id", "payable", "customer_id", "user_id", "courier_id", "owner")
# Kinds of columns in which something about a person can be written down.
TELLING = ("varchar", "text", "json", "jsonb", "inet", "float8", "bytea")


def undeclared(
    tables: dict[str, dict[str, str]], keys: list[Reference], known: dict[str, Table], harmless: dict[str, str]
) -> list[str]:
    """Tables near a person that no package declares, and telling columns that a declaration passes over."""
    near = set(PEOPLE) | {name for name, columns in tables.items() if set(columns) & set(FREE)}
    grown = True
    while grown:
        found = {key.table for key in keys if key.target in near} - near
        grown, near = bool(found), near | found
    wrong = [f"{name}: refers to a person, undeclared" for name in sorted(near - set(known))]
    wrong += [f"{name}: not in any privacy room" for name in sorted(set(tables) - set(known) - set(harmless) - near)]
    for name, table in known.items():
        columns = tables.get(name, {})
        named = {*table.blank, *table.plain, *table.secret}
        wrong += [f"{name}.{column}: no such column" for column in sorted(named - set(columns))]
        if not table.delete or table.keeps:
            told = {column for column, kind in columns.items() if kind in TELLING}
            wrong += [f"{name}.{column}: neither blank nor plain" for column in sorted(told - named)]
    return wrong


def test_every_table_and_column_about_a_person_is_declared() -> None:
    assert undeclared(catalogue.columns(), catalogue.references(), privacy.tables(), rooms.harmless()) == []


def test_an_undeclared_table_and_column_are_found() -> None:
    """The negative control: a table left out, a column left out, a new table two steps from a person."""
    all_tables, keys, known = catalogue.columns(), catalogue.references(), privacy.tables()
    left_out = {name: table for name, table in known.items() if name != "orders_order"}
    order = known["orders_order"]
    dropped = replace(order, blank={name: value for name, value in order.blank.items() if name != "note"})
    new = {**all_tables, "growth_liking": {"id": "uuid", "line_id": "uuid"}}
    far = [*keys, Reference("growth_liking", "line_id", "orders_orderline", "id")]
    assert undeclared(all_tables, keys, left_out, rooms.harmless()) == ["orders_order: refers to a person, undeclared"]
    assert undeclared(all_tables, keys, {**known, "orders_order": dropped}, rooms.harmless()) == [
        "orders_order.note: neither blank nor plain"
    ]
    assert undeclared(new, far, known, rooms.harmless()) == ["growth_liking: refers to a person, undeclared"]


def test_each_package_declares_its_own_tables_only() -> None:
    from django.apps import apps

    owners = {model._meta.db_table: model.__module__ for model in apps.get_models(include_auto_created=True)}
    own = {name: owners[name] for name in privacy.tables() if owners.get(name, "").startswith("highstreet.")}
    wrong = []
    for name, module in own.items():
        package = module.removeprefix("highstreet.").split(".models")[0]
        folder = ROOT / "src/highstreet" / package.replace(".", "/")
        room = folder / ("privacy/own.py" if package == "kernel" else "privacy.py")
        if f'"{name}"' not in room.read_text():
            wrong.append(f"{name} is not declared in {room.relative_to(ROOT)}")
    assert wrong == []


def test_scopes_and_periods_are_sql_that_runs() -> None:
    # Tests that commit are swept of models only: what they counted in the cache has expired by now, or soon.
    cache.clear()
    found = persons.scopes(privacy.Person())
    assert {"customer", "user", "orders", "carts", "things", "traces"} <= set(found)
    assert privacy.erase(privacy.Person()) == {}
    assert privacy.enforce() == {}
    assert {table.purpose for table in privacy.tables().values()} <= set(PURPOSES)


def test_the_documentation_has_the_register_as_it_is() -> None:
    """`highstreet privacy` prints what stands in docs/privacy.md."""
    assert "\n".join(as_markdown()) in (ROOT / "docs/privacy.md").read_text()
