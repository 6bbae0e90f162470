"""Holds, the ledger, idempotency and states against the real database."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from highstreet.kernel import audit, clock, holds, idempotency, ids, ledger, privacy
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.models import Hold, Posting
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.kernel.refusal import Refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf(db: None) -> UUID:
    """A level of ten units, made of its own tables' least rows."""
    from highstreet.supply.inventory.models import StockLevel, StockLocation
    from highstreet.supply.inventory.tests.support import a_store, a_variant

    store = a_store()
    level = StockLevel.objects.create(location=StockLocation.objects.get(store=store), variant=a_variant(), on_hand=10)
    return level.pk


def take(group: UUID, level: UUID, quantity: int, minutes: int = 10) -> None:
    claim = holds.Claim("units", level, quantity, "milk")
    holds.take(group, [claim], clock.now() + timedelta(minutes=minutes))


def counts(level: UUID) -> tuple[int, int, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT on_hand, held, allocated FROM inventory_stocklevel WHERE id = %s", [level])
        row = cursor.fetchone()
    return int(row[0]), int(row[1]), int(row[2])


def test_two_lines_on_one_shelf_cannot_pass_one_by_one(shelf: UUID) -> None:
    claims = [holds.Claim("units", shelf, 6, "milk"), holds.Claim("units", shelf, 6, "milk")]
    with pytest.raises(Refused) as refused, transaction.atomic():
        holds.take(ids.new_id(), claims, clock.now() + timedelta(minutes=1))
    assert refused.value.reason.code == "sold_out"
    assert counts(shelf) == (10, 0, 0)
    assert not Hold.objects.exists()


def test_a_hold_is_confirmed_consumed_or_given_back(shelf: UUID) -> None:
    first, second = ids.new_id(), ids.new_id()
    take(first, shelf, 6)
    take(second, shelf, 4)
    assert counts(shelf) == (10, 10, 0)
    assert holds.confirm(first)
    assert counts(shelf) == (10, 4, 6)
    assert holds.release(second) == 1
    assert counts(shelf) == (10, 0, 6)
    assert holds.consume(first, "units", shelf, 5) == 5
    assert counts(shelf) == (10, 0, 0)
    assert not holds.confirm(first)


def test_an_expired_hold_is_not_confirmed(shelf: UUID) -> None:
    group = ids.new_id()
    take(group, shelf, 3)
    with clock.advanced(timedelta(minutes=11)):
        assert not holds.confirm(group)
        holds.release(group, state="expired")
    assert counts(shelf) == (10, 0, 0)
    assert Hold.objects.get(group=group).state == "expired"


def test_the_shelf_itself_refuses_overselling(shelf: UUID) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE inventory_stocklevel SET held = 11 WHERE id = %s", [shelf])


def refs() -> tuple[AccountRef, AccountRef]:
    owner = ids.new_id()
    return AccountRef(owner, "cash", "CNY"), AccountRef(owner, "revenue", "CNY")


def test_a_journal_is_posted_once_and_moves_balances() -> None:
    cash, revenue = refs()
    cause = ids.new_id()
    for expected in (True, False):
        posted = ledger.post(key="k1", kind="sale", cause=cause, actor=THE_SYSTEM, lines=[(cash, 500), (revenue, -500)])
        assert posted is expected
    assert ledger.balance(cash) == 500
    assert ledger.turnover(cause, "revenue") == -500


def test_an_unbalanced_journal_is_refused_by_code() -> None:
    cash, revenue = refs()
    with pytest.raises(ValueError):
        ledger.post(key="k2", kind="sale", cause=ids.new_id(), actor=THE_SYSTEM, lines=[(cash, 5), (revenue, -4)])


@pytest.mark.django_db(transaction=True)
def test_an_unbalanced_journal_cannot_commit() -> None:
    cash, revenue = refs()
    with pytest.raises(IntegrityError), transaction.atomic():
        ledger.post(key="k3", kind="sale", cause=ids.new_id(), actor=THE_SYSTEM, lines=[(cash, 5), (revenue, -5)])
        one = Posting.objects.order_by("amount").first()
        assert one is not None
        Posting.objects.create(journal=one.journal, owner=one.owner, code=one.code, currency="CNY", amount=1)


def test_a_posting_cannot_change() -> None:
    cash, revenue = refs()
    ledger.post(key="k4", kind="sale", cause=ids.new_id(), actor=THE_SYSTEM, lines=[(cash, 5), (revenue, -5)])
    with pytest.raises(IntegrityError), transaction.atomic():
        Posting.objects.update(amount=6)


def test_the_audit_sees_a_journal_that_was_tampered_with() -> None:
    """The audit's own negative control."""
    cash, revenue = refs()
    ledger.post(key="k5", kind="sale", cause=ids.new_id(), actor=THE_SYSTEM, lines=[(cash, 5), (revenue, -5)])
    assert not any(finding.broken for finding in audit.run())
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE kernel_posting DISABLE TRIGGER USER")
        cursor.execute("UPDATE kernel_posting SET amount = amount + 1 WHERE code = 'cash'")
        cursor.execute("ALTER TABLE kernel_posting ENABLE TRIGGER USER")
    assert [finding.check for finding in audit.run() if finding.broken] == ["I1"]


def test_the_audit_sees_a_held_unit_without_its_hold(shelf: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE inventory_stocklevel SET held = 1 WHERE id = %s", [shelf])
    assert {finding.check for finding in audit.run() if finding.broken} == {"I3", "I4"}


def test_a_key_gives_the_first_answer_again_and_refuses_another_body() -> None:
    done: list[int] = []

    def work() -> tuple[int, dict[str, int]]:
        done.append(1)
        return 201, {"n": len(done)}

    def ask(body: bytes) -> tuple[int, object]:
        return idempotency.once(subject="user:1", endpoint="POST /x", key="k", body=body, work=work)

    assert ask(b"a") == ask(b"a") == (201, {"n": 1})
    with pytest.raises(Refused) as refused:
        ask(b"b")
    assert refused.value.reason.code == "key_reused"
    assert done == [1]


def test_a_refused_request_leaves_its_key_free() -> None:
    from highstreet.kernel.refusals import BUSY

    def refuse() -> tuple[int, object]:
        raise Refused(BUSY)

    def work() -> tuple[int, object]:
        return 200, json.loads("{}")

    with pytest.raises(Refused):
        idempotency.once(subject="s", endpoint="e", key="k", body=b"", work=refuse)
    assert idempotency.once(subject="s", endpoint="e", key="k", body=b"", work=work) == (200, {})


def test_answers_are_kept_for_two_days_and_then_forgotten() -> None:
    now = clock.now()
    done: list[str] = []

    def ask(key: str) -> None:
        def work() -> tuple[int, object]:
            done.append(key)
            return 200, None

        idempotency.once(subject="s", endpoint="e", key=key, body=b"", work=work)

    for days, key in ((3, "old"), (2.1, "older-than-kept"), (1.9, "young")):
        with clock.frozen(now - timedelta(days=days)):
            ask(key)
    with clock.frozen(now):
        gone = [privacy.enforce().get("kernel_idempotencyrecord", 0) for _ in range(2)]
        assert gone == [2, 0]
        ask("young")
        ask("old")
    assert done == ["old", "older-than-kept", "young", "old"]
