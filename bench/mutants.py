"""Mutation tests of what everything rests on (Q1): `python bench/mutants.py [--most N] [--only NAME]`.

Each mutant is one small change of one file (a comparison turned, a sum made a difference, a condition negated, a
call left out; in SQL also a lock or an order left out), in a copy of the tree; the tests of that file must fail.
Survivors are printed with their line.

Not mutmut: a mutant here is a process of its own over a copy of the tree, so that what Django and our registries
keep from import (models, jobs, scarce things, SQL that is built once) is the mutant's own; and mutmut knows no SQL.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KERNEL_TESTS = ["src/highstreet/kernel/tests"]
HOLDS_TESTS = [
    *KERNEL_TESTS,
    "tests/races/test_flash.py",
    "tests/races/test_baskets.py",
    "src/highstreet/trade/orders/tests",
]
TARGETS = {
    "states": ("src/highstreet/kernel/states.py", [*KERNEL_TESTS, "tests/contracts/test_states.py"]),
    "ledger": ("src/highstreet/kernel/ledger.py", [*KERNEL_TESTS, "src/highstreet/web/console/tests/test_pages.py"]),
    "holds": ("src/highstreet/kernel/holds.py", HOLDS_TESTS),
    "scarcity": ("src/highstreet/kernel/scarcity.py", HOLDS_TESTS),
    "notification": (
        "src/highstreet/trade/payments/wechat/notification.py",
        ["src/highstreet/trade/payments/wechat/tests"],
    ),
}
COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add}
# Of a text that is SQL: what is looked for, and what takes its place. Assignments stay: "SET x <> y" is no change but
# an error of syntax, which any test finds.
SQL = re.compile(r"\b(SELECT|UPDATE|INSERT|WHERE|FROM|AND|OR|RETURNING|SET|LIMIT|ORDER BY|VALUES)\b")
IN_SQL: list[tuple[str, str]] = [
    (r">=", ">"), (r"<=", "<"), (r" > ", " >= "), (r" < ", " <= "), (r" \+ ", " - "), (r" - ", " + "),
    (r"(?<=AND )NOT EXISTS", "EXISTS"), (r"\bAND\b", "OR"), (r"\bOR\b", "AND"), (r"LEFT JOIN", "JOIN"),
    (r"(?<=WHERE )([\w.\"]+) = ", r"\1 <> "), (r"(?<=AND )([\w.\"]+) = ", r"\1 <> "),
    (r"(?<=ON )([\w.\"]+) = ", r"\1 <> "),
    (r" ORDER BY [\w.\" ,]+?(?= FOR| LIMIT|\)|$)", ""), (r" DESC", ""), (r" FOR NO KEY UPDATE( OF \w+)?", ""),
    (r" SKIP LOCKED", ""), (r"LIMIT 1", "LIMIT 2"),
]  # fmt: skip
SECONDS = 600


@dataclass(frozen=True)
class Mutant:
    name: str
    line: int
    what: str
    source: str


def mutants(name: str, source: str) -> Iterator[Mutant]:
    """Every mutant of `source`, one change each."""
    walked = list(ast.walk(ast.parse(source)))
    told = {id(node.value) for node in walked if isinstance(node, ast.Expr)}
    for number, node in enumerate(walked):
        for what in () if id(node) in told else _changes(node):
            tree = ast.parse(source)
            _apply(list(ast.walk(tree))[number], what)
            yield Mutant(name, getattr(node, "lineno", 0), what, ast.unparse(ast.fix_missing_locations(tree)))


def _changes(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARE:
        return ["comparison turned"]
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC and not isinstance(node.left, ast.Constant):
        return ["arithmetic changed"]
    if isinstance(node, ast.BoolOp):
        return ["and/or exchanged"]
    if isinstance(node, ast.If | ast.IfExp):
        return ["condition negated"]
    if isinstance(node, ast.Constant) and type(node.value) in (int, bool):
        return ["constant changed"]
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value):
        return [f"SQL {change}" for change in _in_sql(node.value)]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return ["call left out"] if "failpoints" not in ast.unparse(node) else []
    return []


def _in_sql(text: str) -> dict[str, str]:
    """Each change of one place of a statement: what it is, and the statement then."""
    found = {}
    for pattern, instead in IN_SQL:
        for match in re.finditer(pattern, text):
            changed = text[: match.start()] + match.expand(instead) + text[match.end() :]
            found[f"'{match[0].strip()}' made '{match.expand(instead).strip()}' at {match.start()}"] = changed
    return found


def _apply(node: ast.AST, what: str) -> None:
    if isinstance(node, ast.Compare):
        node.ops[0] = COMPARE[type(node.ops[0])]()
    elif isinstance(node, ast.BinOp):
        node.op = ARITHMETIC[type(node.op)]()
    elif isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, ast.If | ast.IfExp):
        node.test = ast.UnaryOp(ast.Not(), copy.deepcopy(node.test))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        node.value = _in_sql(node.value)[what.removeprefix("SQL ")]
    elif isinstance(node, ast.Constant):
        node.value = not node.value if isinstance(node.value, bool) else int(str(node.value)) + 1
    elif isinstance(node, ast.Expr):
        node.value = ast.Constant(None)


def killed(tree: Path, path: str, tests: list[str], mutant: Mutant | None) -> bool:
    """Whether the tests fail in a copy of the tree with this mutant (None: the file as it is)."""
    original = (ROOT / path).read_text()
    (tree / path).write_text(mutant.source if mutant else original)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "--reuse-db", "-p", "no:cacheprovider", *tests],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": f"{tree / 'src'}{os.pathsep}{tree}"},
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return True
    finally:
        (tree / path).write_text(original)
    return done.returncode != 0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=int, default=0, help="so many mutants of each file, drawn by the seed")
    parser.add_argument("--only", choices=sorted(TARGETS))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory(prefix="hs-mutants-") as folder:
        tree = Path(folder)
        for part in ("src", "tests", "bench", "scripts"):
            shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", tree)
        for name in [options.only] if options.only else list(TARGETS):
            path, tests = TARGETS[name]
            found = list(mutants(name, (ROOT / path).read_text()))
            if options.most:
                found = random.Random(options.seed).sample(found, min(options.most, len(found)))
            if killed(tree, path, tests, None):
                print(f"{name}: the tests fail without a mutant", file=sys.stderr)
                return 2
            alive = [one for one in found if not killed(tree, path, tests, one)]
            share = 100 * (len(found) - len(alive)) / max(1, len(found))
            good &= share >= 90
            print(f"{name:<14} {len(found)} mutants, {len(found) - len(alive)} killed, {share:.0f} %", flush=True)
            for one in alive:
                print(f"    survives: {path}:{one.line} {one.what}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
