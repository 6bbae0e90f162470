"""The ledger: two-sided postings in integer minor units. The truth of money and of points.

A deferred constraint in the database refuses a transaction that does not sum to 0 (migration 0002), and
postings cannot be changed. Debits are positive, credits negative.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from . import clock
from .ids import new_id
from .models import Account, Journal, Posting
from .policy import Actor


@dataclass(frozen=True, order=True)
class AccountRef:
    """An account by its owner (organisation, courier, customer), its code and its currency."""

    owner: UUID
    code: str
    currency: str


def post(*, key: str, kind: str, cause: UUID, actor: Actor, lines: Iterable[tuple[AccountRef, int]]) -> bool:
    """Write one journal. False if `key` is already posted (then nothing is written).

    `lines` are (account, amount); zero amounts are dropped and several lines of one account are added up.
    Raises ValueError when the lines do not sum to 0 in every currency.
    """
    amounts: dict[AccountRef, int] = {}
    for ref, amount in lines:
        amounts[ref] = amounts.get(ref, 0) + amount
    amounts = {ref: amount for ref, amount in amounts.items() if amount != 0}
    sums: dict[str, int] = {}
    for ref, amount in amounts.items():
        sums[ref.currency] = sums.get(ref.currency, 0) + amount
    if any(sums.values()):
        raise ValueError(f"journal {key} is not balanced: {sums}")
    journal = Journal(id=new_id(), key=key, kind=kind, cause=cause, at=clock.now(), actor=actor.name)
    created = Journal.objects.bulk_create([journal], ignore_conflicts=True)
    if not created or not Journal.objects.filter(pk=journal.pk).exists():
        return False
    ids = _accounts(amounts)
    postings = sorted(((ids[ref], ref, amount) for ref, amount in amounts.items()), key=lambda row: row[0])
    Posting.objects.bulk_create(
        Posting(id=new_id(), journal=journal, account_id=account, currency=ref.currency, amount=amount)
        for account, ref, amount in postings
    )
    with connection.cursor() as cursor:
        for account, _, amount in postings:
            cursor.execute("UPDATE kernel_account SET balance = balance + %s WHERE id = %s", [amount, account])
    return True


def balance(ref: AccountRef) -> int:
    """The account's balance; 0 for an account never posted to."""
    row = Account.objects.filter(owner=ref.owner, code=ref.code, currency=ref.currency).first()
    return row.balance if row else 0


def turnover(cause: UUID, code: str) -> int:
    """What `cause` (an order, a delivery) has posted to accounts of `code`, net."""
    total = Posting.objects.filter(journal__cause=cause, account__code=code).aggregate(sum=Sum("amount"))
    return int(total["sum"] or 0)


def _accounts(amounts: dict[AccountRef, int]) -> dict[AccountRef, UUID]:
    refs = sorted(amounts)
    found = _find(refs)
    missing = [ref for ref in refs if ref not in found]
    if missing:
        Account.objects.bulk_create(
            [Account(id=new_id(), owner=ref.owner, code=ref.code, currency=ref.currency) for ref in missing],
            ignore_conflicts=True,
        )
        found = _find(refs)
    return found


def _find(refs: list[AccountRef]) -> dict[AccountRef, UUID]:
    rows = Account.objects.filter(owner__in={ref.owner for ref in refs}, code__in={ref.code for ref in refs})
    known = {AccountRef(row.owner, row.code, row.currency): row.id for row in rows}
    return {ref: known[ref] for ref in refs if ref in known}
