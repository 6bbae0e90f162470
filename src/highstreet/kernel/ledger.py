"""The ledger: two-sided postings in integer minor units. The truth of money and of points.

A deferred constraint in the database refuses a transaction that does not sum to 0 (migration 0002), and
postings cannot be changed. Debits are positive, credits negative. A balance is the sum of its postings,
read from an index; nothing is locked to post.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from django.db.models import Sum

from . import clock, failpoints, paging
from .ids import new_id
from .models import Journal, Posting
from .policy import Actor


@dataclass(frozen=True, order=True)
class AccountRef:
    """An account by its owner (organisation, courier, customer), its code and its currency."""

    owner: UUID
    code: str
    currency: str

    @property
    def id(self) -> UUID:
        """A name for addresses, the same for the same account everywhere."""
        return uuid5(self.owner, f"{self.code}/{self.currency}")


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
    Posting.objects.bulk_create(
        Posting(id=new_id(), journal=journal, owner=ref.owner, code=ref.code, currency=ref.currency, amount=amount)
        for ref, amount in sorted(amounts.items())
    )
    failpoints.reach("ledger.post", kind)
    return True


def balance(ref: AccountRef) -> int:
    """The account's balance; 0 for an account never posted to."""
    found = Posting.objects.filter(owner=ref.owner, code=ref.code, currency=ref.currency).aggregate(sum=Sum("amount"))
    return int(found["sum"] or 0)


def balances(owners: Iterable[UUID], code: str) -> dict[UUID, int]:
    """These owners' balances of one code, each of one currency; without those never posted to."""
    rows = Posting.objects.filter(owner__in=list(owners), code=code)
    return dict(rows.values_list("owner").annotate(sum=Sum("amount")))


def turnover(cause: UUID, code: str) -> int:
    """What `cause` (an order, a delivery) has posted to accounts of `code`, net."""
    total = Posting.objects.filter(journal__cause=cause, code=code).aggregate(sum=Sum("amount"))
    return int(total["sum"] or 0)


@dataclass(frozen=True)
class AccountView:
    ref: AccountRef
    balance: int


@dataclass(frozen=True)
class PostingView:
    """One side of a journal; debit > 0, credit < 0."""

    account: AccountRef
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
    rows = Posting.objects.filter(owner__in=list(owners)).values("owner", "code", "currency")
    found = rows.annotate(sum=Sum("amount")).order_by("code", "currency", "owner")
    return [AccountView(AccountRef(row["owner"], row["code"], row["currency"]), row["sum"]) for row in found]


def journals(
    owners: Iterable[UUID], *, account: AccountRef | None = None, cursor: str = "", limit: int = 40
) -> tuple[list[JournalView], str]:
    """The journals that touch these owners' accounts (or one of them), newest first, and the next page's cursor."""
    touched = Posting.objects.filter(owner__in=list(owners))
    if account is not None:
        touched = touched.filter(owner=account.owner, code=account.code, currency=account.currency)
    rows = Journal.objects.filter(pk__in=touched.values("journal_id"))
    found = list(rows.filter(paging.beyond(cursor, "at")).order_by("-at", "-id")[: limit + 1])
    more = paging.cursor(found[limit - 1].at, found[limit - 1].pk) if len(found) > limit else ""
    return _journal_views(found[:limit]), more


def journals_of(causes: Iterable[UUID]) -> list[JournalView]:
    """What these causes (orders, deliveries) have posted, oldest first. Callers have checked the causes."""
    return _journal_views(list(Journal.objects.filter(cause__in=list(causes)).order_by("at", "id")))


def credited(cause: UUID, actor: str, kinds: Iterable[str], codes: Iterable[str]) -> int:
    """What journals of a cause by one actor have credited to accounts of these codes, whatever their currency."""
    rows = Posting.objects.filter(
        journal__cause=cause, journal__actor=actor, journal__kind__in=list(kinds), code__in=list(codes), amount__lt=0
    )
    return -(rows.aggregate(sum=Sum("amount"))["sum"] or 0)


def journal(owners: Iterable[UUID], journal_id: UUID) -> JournalView | None:
    """One journal, if it touches one of these owners' accounts."""
    row = Journal.objects.filter(pk=journal_id, postings__owner__in=list(owners)).first()
    return _journal_views([row])[0] if row else None


def _journal_views(rows: list[Journal]) -> list[JournalView]:
    sides: dict[UUID, list[PostingView]] = {row.pk: [] for row in rows}
    for one in Posting.objects.filter(journal__in=rows).order_by("-amount", "id"):
        sides[one.journal_id].append(PostingView(AccountRef(one.owner, one.code, one.currency), one.amount))
    return [JournalView(row.pk, row.key, row.kind, row.cause, row.at, row.actor, sides[row.pk]) for row in rows]
