"""F3: no statement is put together from anything but our own constants."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "highstreet"
RUNS = {"execute", "executemany", "raw", "extra", "RawSQL", "SQL", "copy"}
ORM = {"filter", "exclude", "create", "update", "get", "get_or_create", "update_or_create", "values", "annotate"}
WORDS = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE FROM|WHERE|JOIN|ORDER BY|LISTEN|DROP|ALTER)\b")
# What statements may be put together from besides a module's constants, by file: what features declare at import.
OURS = {
    # A slot's owner: the column of the city or of the zone.
    "delivery/promise/actions.py": {"of", "there"},
    "kernel/audit.py": {"thing.kind", "thing.table", "states", "getattr(thing, column)", "check.sql()"},
    "kernel/figures.py": {"outbox.MAX_FAILURES"},
    "kernel/holds.py": {
        "thing.table",
        "assignment",
        "owners_sql(part, shares)",
        "part.table",
        "part.taken",
        "shares.owner",
        "shares.pooled",
        "shares.units",
        "sql",
    },
    "kernel/scarcity.py": {
        "thing.table",
        "thing.free",
        "counted",
        "part.table",
        "part.free",
        "shares.owner",
        "shares.pooled",
        "shares.spread",
        "shares.units",
        "thing.shares.pooled",
        "thing.shares.spread",
        "spread_out",
        "unspread",
    },
    "kernel/metrics.py": {"query", "one.sql"},
    "kernel/postgres.py": {
        "sql.SQL(\"CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'\").format(sql.Identifier(name))",
    },
    # The register of personal data: tables and conditions that each feature declares.
    "kernel/privacy/catalogue.py": {"one.table", "one.column", "one.key"},
    "kernel/privacy/erasing.py": {"table.name", "table.rows", "values", "free", "one.where"},
    "kernel/privacy/exporting.py": {"query"},
    "kernel/privacy/persons.py": {"query"},
    "kernel/privacy/retention.py": {"name", "still", "change", "verb", "found"},
    # Tables and columns of our own models.
    "kernel/rows.py": {
        "table",
        "names",
        "sql",
        "replacing",
        "changed",
        "f\"WITH {', '.join(named)} {last}\" if named else last",
    },
    "ops/backup.py": {"query", "query.format(sql.Identifier('public', name))"},
    "ops/doctor.py": {"query"},
    # What a migration's author writes, and names that the database gives.
    "ops/migrating.py": {"connection.ops.quote_name(name)"},
    "people/accounts/reads.py": {"columns", "found"},
    # A shelf's halves: our own clauses, chosen by what is asked.
    "supply/catalog/reads/for_shoppers.py": {
        "sql",
        "own",
        "walk",
        "where",
        "within",
        "after",
        "sign",
        "way",
        "nearest",
        "' UNION ALL '.join(halves)",
        "' UNION ALL '.join(near)",
    },
    # A migration's table and the change of its rows.
    "kernel/batches.py": {"table", "setting", "where", "here", "fill"},
    "supply/inventory/reads.py": {"_HELD", "_ALLOCATED", "column"},
    "supply/stores/reads.py": {
        "f\"SELECT {', '.join((f's.{name}' for name in _COLUMNS))}, c.time_zone FROM stores_store s \"",
        "', '.join((f's.{name}' for name in _COLUMNS))",
        "_VIEW + where",
    },
    "trade/cart/privacy.py": {"_OLD.format('c')"},
    # A number that is reckoned from our own constants.
    "trade/fulfilment/audit.py": {"minutes"},
    "trade/payments/sandbox/store.py": {"sql"},
    "web/streams.py": {"asked", "query", "STILL_SIGNED_IN.encode()"},
}
# Dictionaries unpacked into the ORM: built name by name in the same function, never a request's.
UNPACKED = {
    ("growth/partners/actions/sending.py", "values"),
    ("growth/partners/actions/telling.py", "again"),
    ("kernel/states.py", "values"),
    ("kernel/states.py", "{machine.column: state}"),
    ("supply/stores/reads.py", "where"),
}


def trees() -> Iterator[tuple[str, ast.AST]]:
    for path in sorted(SOURCE.rglob("*.py")):
        if "/tests/" not in str(path) and "/migrations/" not in str(path):
            yield str(path.relative_to(SOURCE)), ast.parse(path.read_text())


def made_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """What the statements of a module are put together from, and statements that are no literal."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and WORDS.search("".join(_literals(node))):
            yield from (
                (node.lineno, ast.unparse(one.value)) for one in node.values if isinstance(one, ast.FormattedValue)
            )
        elif isinstance(node, ast.BinOp | ast.Call) and (put := _put_together(node)):
            yield from ((node.lineno, text) for text in put)
        if isinstance(node, ast.Call) and _name(node) in RUNS and node.args:
            first = node.args[0]
            if not isinstance(first, ast.Constant | ast.JoinedStr) and not _put_together(first):
                yield node.lineno, ast.unparse(first)


def constants(tree: ast.AST) -> set[str]:
    """Upper-case names that a module gives or imports once, outside its functions: no request reaches them."""
    assert isinstance(tree, ast.Module)
    given: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            given |= {one.id for one in targets if isinstance(one, ast.Name)}
        elif isinstance(node, ast.ImportFrom):
            given |= {one.asname or one.name for one in node.names}
    return {name for name in given if name == name.upper()}


def _literals(node: ast.AST) -> list[str]:
    return [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def _name(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _put_together(node: ast.AST) -> list[str]:
    """The parts of "… %s" % x, "…" + x and "…{}".format(x), where the text is a statement."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add):
        texts = _literals(node.left)
        sides = [side for side in (node.left, node.right) if not isinstance(side, ast.Constant)]
        return [ast.unparse(side) for side in sides] if any(WORDS.search(text) for text in texts) else []
    if isinstance(node, ast.Call) and _name(node) == "format" and isinstance(node.func, ast.Attribute):
        texts = _literals(node.func.value)
        if any(WORDS.search(text) for text in texts):
            return [ast.unparse(one) for one in (*node.args, *(key.value for key in node.keywords))]
    return []


def test_statements_are_made_of_our_own_constants() -> None:
    wrong = [
        f"{where}:{line} {text}"
        for where, tree in trees()
        for line, text in made_of(tree)
        if text not in constants(tree) | OURS.get(where, set())
    ]
    assert wrong == []


def test_no_request_is_unpacked_into_the_orm() -> None:
    wrong = []
    for where, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _name(node) in ORM:
                for key in node.keywords:
                    if key.arg is None and (where, ast.unparse(key.value)) not in UNPACKED:
                        wrong.append(f"{where}:{node.lineno} **{ast.unparse(key.value)}")
    assert wrong == []


@pytest.mark.parametrize(
    "code",
    [
        'cursor.execute(f"SELECT id FROM t WHERE name = {name}")',
        'cursor.execute("SELECT id FROM t WHERE name = %s" % name)',
        'cursor.execute("SELECT id FROM t WHERE name = " + name)',
        'cursor.execute("SELECT id FROM t WHERE name = {}".format(name))',
        "cursor.execute(request.GET['sql'])",
        "Model.objects.raw(text)",
    ],
)
def test_a_statement_made_of_a_text_is_found(code: str) -> None:
    """The control."""
    assert list(made_of(ast.parse(code)))
