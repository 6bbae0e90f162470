"""L6: how many statements each page and operation may ask of the database, in git; as many when the data is tenfold.

`python -m tests.budgets.test_budgets` writes the table anew, to be read before it is committed.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from bench.shape import grow

from tests.conftest import Add
from tests.support import databases
from tests.support.stack import Stack

TABLE = Path(__file__).with_name("budgets.csv")
SMALL, TENFOLD = 2, 20


@cache
def counted(orders: int, times: int) -> dict[str, Any]:
    """What `tests.budgets.count` found in a city of `times` as much of everything."""
    with Stack([]) as stack:
        if times > 1:
            had = {
                name: stack.one(f"SELECT count(*) FROM {table}")  # noqa: S608 (our own names)
                for name, table in (
                    ("products", "catalog_product"),
                    ("variants", "catalog_variant"),
                    ("stores", "stores_store"),
                )
            }
            grow(stack, **{name: count * times for name, count in had.items()})
        done = subprocess.run(
            [sys.executable, "-m", "tests.budgets.count", str(orders)],
            env=stack.environment | {"HIGHSTREET_AXES": "0"},
            cwd=databases.ROOT,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def budgets() -> dict[str, int]:
    with TABLE.open(newline="") as file:
        return {row["what"]: int(row["statements"]) for row in csv.DictReader(file)}


@pytest.mark.timeout(600)
def test_every_page_and_operation_keeps_to_its_budget_when_the_data_is_tenfold(row: Add) -> None:
    allowed = budgets()
    found, grown = counted(SMALL, 1), counted(TENFOLD, 10)
    assert {name: status for name, status in found["status"].items() if status >= 400} == {}
    over = {
        name: (count, allowed.get(name)) for name, count in found["counts"].items() if count > allowed.get(name, -1)
    }
    more = {
        name: (found["counts"][name], count) for name, count in grown["counts"].items() if count > allowed.get(name, -1)
    }
    row(
        "L6", "statements a request; tenfold data", n=len(allowed), accepted=len(allowed) - len(over), refused=len(over)
    )
    assert over == {}, "asks more than its budget, or has none: python -m tests.budgets.test_budgets"
    assert more == {}, "asks more when the data is tenfold"
    assert allowed.keys() <= found["counts"].keys(), "a budget for what is no more"


@pytest.mark.timeout(600)
def test_a_budget_that_is_one_too_small_is_noticed() -> None:
    """The table is exact: every budget is what was counted, so one more statement fails."""
    found = counted(SMALL, 1)["counts"]
    slack = {name: (count, found.get(name)) for name, count in budgets().items() if count - found.get(name, 0) > 1}
    assert slack == {}


if __name__ == "__main__":
    counts = counted(SMALL, 1)
    sys.stdout.write(
        f"not asked: {counts['unasked']}\nrefused: {[n for n, s in counts['status'].items() if s >= 400]}\n"
    )
    with TABLE.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["what", "statements"])
        writer.writerows(sorted(counts["counts"].items()))
