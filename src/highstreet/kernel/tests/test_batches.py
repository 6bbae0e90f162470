"""Rows of a table are changed in batches while others write and lock them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from highstreet.kernel import batches

ROWS = 2000


@pytest.fixture
def things(transactional_db: None) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kernel_things (id serial PRIMARY KEY, size int, words text)")
        cursor.execute("INSERT INTO kernel_things (words) SELECT repeat('x', 200) FROM generate_series(1, %s)", [ROWS])
        yield cursor
        cursor.execute("DROP TABLE kernel_things")


def empty(cursor: Any) -> int:
    cursor.execute("SELECT count(*) FROM kernel_things WHERE size IS NULL")
    return int(cursor.fetchone()[0])


def fill(blocks: int = 10) -> Callable[..., None]:
    return batches.in_batches("kernel_things", "SET size = 1 WHERE size IS NULL", blocks=blocks)


def test_every_row_is_changed(things: Any) -> None:
    fill()(None, None)
    assert empty(things) == 0


def test_it_ends_while_the_old_code_writes_on(things: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each pause a row comes in that the old code writes: until no row is empty, it would go on for ever."""
    written = 0

    def sleep(seconds: float) -> None:
        nonlocal written
        written += 1
        assert written < ROWS, "it goes on for as long as anybody writes"
        things.execute("INSERT INTO kernel_things (words) VALUES (repeat('x', 200))")

    monkeypatch.setattr(batches.time, "sleep", sleep)  # type: ignore[attr-defined]
    fill()(None, None)
    assert 1 < written < 100 and empty(things) <= written


def test_a_row_that_somebody_has_locked_is_changed_when_it_is_free(things: Any) -> None:
    locked, over = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM kernel_things WHERE id = 7 FOR UPDATE")
                locked.set()
                over.wait(0.5)
        finally:
            connection.close()

    other = threading.Thread(target=hold)
    other.start()
    assert locked.wait(10)
    fill()(None, None)
    other.join()
    assert empty(things) == 0
