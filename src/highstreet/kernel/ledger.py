"""The ledger: two-sided postings in integer minor units. The truth of money and of points.

A deferred constraint in the database refuses a transaction that does not sum to 0 (migration 0002), and
postings cannot be changed. Debits are positive, credits negative.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Q, Sum

from . import clock, paging
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


@dataclass(frozen=True)
class AccountView:
    id: UUID
    owner: UUID
    code: str
    currency: str
    balance: int


@dataclass(frozen=True)
class PostingView:
    """One side of a journal; debit > 0, credit < 0."""

    account_id: UUID
    owner: UUID
    code: str
    currency: str
    amount: int


@dataclass(frozen=True)
class JournalView:
    id: UUID
    key: str
    kind: str
    cause: UUID
    at: datetime
    actor: str
    postings: list[PostingView]

    @property
    def amount(self) -> int:
        """What changed sides: the sum of the debits."""
        return sum(posting.amount for posting in self.postings if posting.amount > 0)


def accounts(owners: Iterable[UUID]) -> list[AccountView]:
    """The accounts of these owners, by code. Whoever calls has checked that their books may be read."""
    rows = Account.objects.filter(owner__in=list(owners)).order_by("code", "currency", "id")
    return [AccountView(row.pk, row.owner, row.code, row.currency, row.balance) for row in rows]


def journals(
    owners: Iterable[UUID], *, account: UUID | None = None, cursor: str = "", limit: int = 40
) -> tuple[list[JournalView], str]:
    """The journals that touch these owners' accounts (or one of them), newest first, and the next page's cursor."""
    touched = Posting.objects.filter(account__owner__in=list(owners))
    if account is not None:
        touched = touched.filter(account_id=account)
    rows = Journal.objects.filter(pk__in=touched.values("journal_id"))
    since = paging.after(cursor)
    if since is not None:
        rows = rows.filter(Q(at__lt=since[0]) | Q(at=since[0], pk__lt=since[1]))
    found = list(rows.order_by("-at", "-id")[: limit + 1])
    more = paging.cursor(found[limit - 1].at, found[limit - 1].pk) if len(found) > limit else ""
    return _journal_views(found[:limit]), more


def journals_of(causes: Iterable[UUID]) -> list[JournalView]:
    """What these causes (orders, deliveries) have posted, oldest first. Callers have checked the causes."""
    return _journal_views(list(Journal.objects.filter(cause__in=list(causes)).order_by("at", "id")))


def journal(owners: Iterable[UUID], journal_id: UUID) -> JournalView | None:
    """One journal, if it touches one of these owners' accounts."""
    row = Journal.objects.filter(pk=journal_id, postings__account__owner__in=list(owners)).first()
    return _journal_views([row])[0] if row else None


def _journal_views(rows: list[Journal]) -> list[JournalView]:
    sides: dict[UUID, list[PostingView]] = {row.pk: [] for row in rows}
    for one in Posting.objects.filter(journal__in=rows).select_related("account").order_by("-amount", "id"):
        view = PostingView(one.account_id, one.account.owner, one.account.code, one.currency, one.amount)
        sides[one.journal_id].append(view)
    return [JournalView(row.pk, row.key, row.kind, row.cause, row.at, row.actor, sides[row.pk]) for row in rows]
