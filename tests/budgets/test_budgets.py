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
# Routes that read and have no budget, with the status that a stranger to them gets.
UNANSWERED = {
    # Nobody here has a second factor: there are no codes to read and nothing to switch off.
    "/accounts/2fa/recovery-codes/": 404,
    "/accounts/2fa/recovery-codes/download/": 404,
    "/accounts/2fa/totp/deactivate/": 404,
    # The root of the API is an address without an operation.
    "/api/v1/": 404,
    # A fleet asks whether the address is ours. Only its signature gets further, and the answer is the word it sent.
    "/api/v1/fleets/{fleet}/notify": 401,
}


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
    assert found["unanswered"] == grown["unanswered"] == UNANSWERED, "a page that nobody counts: give `count` its names"
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
def test_a_budget_is_what_was_counted() -> None:
    """So one statement more fails, and one less is written down. The day begins at noon and everything is asked three
    times, so what a process remembers is remembered: there is nothing to allow for."""
    found = counted(SMALL, 1)["counts"]
    assert {name: (count, found.get(name)) for name, count in budgets().items() if found.get(name) != count} == {}


if __name__ == "__main__":
    counts = counted(SMALL, 1)
    sys.stdout.write(
        f"not counted: {counts['unanswered']}\nrefused: {[n for n, s in counts['status'].items() if s >= 400]}\n"
    )
    with TABLE.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["what", "statements"])
        writer.writerows(sorted(counts["counts"].items()))
