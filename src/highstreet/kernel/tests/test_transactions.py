"""What is begun anew, how often, and by whom."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection, transaction

from highstreet.kernel import idempotency
from highstreet.kernel.models import IdempotencyRecord
from highstreet.kernel.policy import PUBLIC, THE_SYSTEM, Actor, action
from highstreet.kernel.transactions import TRIES, Again, anew, whole

pytestmark = pytest.mark.django_db(transaction=True)


class Changing:
    """Work that leaves a row behind and meets a change `times` times."""

    def __init__(self, times: int) -> None:
        self.times, self.tries = times, 0

    def __call__(self) -> int:
        self.tries += 1
        assert connection.in_atomic_block
        IdempotencyRecord.objects.create(
            subject="s", endpoint="e", key=f"own {self.tries}", request_hash="", at="2026-01-01T00:00Z"
        )
        if self.tries <= self.times:
            raise Again("a shelf went into shares")
        return self.tries


def kept() -> list[str]:
    return sorted(IdempotencyRecord.objects.filter(key__startswith="own").values_list("key", flat=True))


def test_work_is_begun_anew_and_leaves_nothing_of_the_tries_before() -> None:
    assert anew(Changing(TRIES - 1)) == TRIES
    assert kept() == [f"own {TRIES}"]


def test_after_three_tries_it_is_told() -> None:
    work = Changing(TRIES)
    with pytest.raises(Again):
        anew(work)
    assert work.tries == TRIES
    assert kept() == []


@pytest.mark.parametrize("outer", [whole, transaction.atomic])
def test_within_another_transaction_that_one_is_begun_anew(outer: Callable[[], transaction.Atomic]) -> None:
    work = Changing(1)
    with pytest.raises(Again), outer():
        anew(work)
    assert work.tries == 1
    assert kept() == []


def test_an_action_and_a_request_with_a_key_begin_anew() -> None:
    work = Changing(2)

    @action(PUBLIC)
    def act(*, actor: Actor) -> int:
        return work()

    assert act(actor=THE_SYSTEM) == 3
    work.times = 4
    answer = idempotency.once(
        subject="s", endpoint="POST /x", key="k", body=b"", work=lambda: (201, act(actor=THE_SYSTEM))
    )
    assert answer == (201, 5)
    assert kept() == ["own 3", "own 5"]
