"""Rows put together arrive as they were, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from highstreet.kernel import clock, holds, ids, memory, outbox, rows
from highstreet.kernel.models import Hold, Journal, OutboxEvent, StateChange

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 4, 15, 0, 0, 123456, tzinfo=UTC)
WORDS = 'a "quoted" \\ 字 \u2028 %s {x}'


def change(note: str) -> StateChange:
    return StateChange(
        id=ids.new_id(), machine="m", subject=ids.new_id(), event="e", was="a", now="b", actor="x", note=note, at=AT
    )


def journal(key: str) -> Journal:
    return Journal(id=ids.new_id(), key=key, kind=WORDS[:40], cause=ids.new_id(), at=AT, actor="x")


def test_what_is_put_arrives_as_it_was() -> None:
    made = change(WORDS)
    rows.put([made])
    found = StateChange.objects.get(pk=made.pk)
    assert {name: getattr(found, name) for name in ("note", "at", "subject")} == {
        name: getattr(made, name) for name in ("note", "at", "subject")
    }


def test_all_that_is_put_together_is_one_statement_and_unseen_before() -> None:
    with (
        CaptureQueriesContext(
            connection,
        ) as queries,
        rows.together(),
    ):
        rows.put([change("1"), change("2")])
        rows.put([journal("k")])
        rows.put([change("3")])
        assert not queries.captured_queries
    assert len(queries) == 1
    assert (StateChange.objects.count(), Journal.objects.count()) == (3, 1)


def test_one_bad_row_stops_all() -> None:
    rows.put([journal("twice")])
    with pytest.raises(IntegrityError), transaction.atomic(), rows.together():
        rows.put([change("1")])
        rows.put([journal("twice")])
    assert not StateChange.objects.exists()


def test_an_error_within_writes_nothing() -> None:
    with pytest.raises(ZeroDivisionError), rows.together():
        rows.put([change("1")])
        _ = 1 // 0
    assert not StateChange.objects.exists()
    rows.put([change("2")])
    assert StateChange.objects.count() == 1


def test_facts_are_written_after_the_rows_in_their_order() -> None:
    with rows.together():
        for number in range(5):
            outbox.emit(holds.Claim("units", ids.new_id(), number), topics=["order:x"])
        assert not OutboxEvent.objects.exists()
    found = OutboxEvent.objects.order_by("id").values_list("payload__quantity", flat=True)
    assert list(found) == [0, 1, 2, 3, 4]
    assert not Hold.objects.exists()


def test_a_page_asks_once_and_everyone_else_every_time() -> None:
    asked: list[int] = []

    @memory.once_a_page(lambda number: number % 2)
    def ask(number: int) -> int:
        asked.append(number)
        return number

    with memory.page():
        assert [ask(1), ask(3), ask(2), ask(4)] == [1, 1, 2, 2]
    assert [ask(1), ask(1)] == [1, 1]
    assert asked == [1, 2, 1, 1]
    assert clock.now()
