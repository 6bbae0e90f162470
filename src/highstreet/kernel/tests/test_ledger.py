"""The ledger against the real database: what is posted, summed up and shown, and to whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest

from highstreet.kernel import clock, ids, ledger
from highstreet.kernel.ledger import AccountRef, JournalView, PostingView
from highstreet.kernel.models import Posting
from highstreet.kernel.policy import THE_SYSTEM, Actor

pytestmark = pytest.mark.django_db

OWN, OTHER, THIRD = (UUID(int=number) for number in (1, 2, 3))
CASH, SALES = AccountRef(OWN, "cash", "CNY"), AccountRef(OWN, "sales", "CNY")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def post(
    *lines: tuple[AccountRef, int], cause: UUID | None = None, kind: str = "sale", actor: Actor = THE_SYSTEM
) -> str:
    """Post a journal; returns its key."""
    key = str(ids.new_id())
    assert ledger.post(key=key, kind=kind, cause=cause or ids.new_id(), actor=actor, lines=lines)
    return key


def keys(views: list[JournalView]) -> list[str]:
    return [view.key for view in views]


def test_an_account_has_the_same_name_everywhere() -> None:
    assert CASH.id == uuid5(OWN, "cash/CNY")
    assert len({CASH.id, SALES.id, AccountRef(OWN, "cash", "USD").id, AccountRef(OTHER, "cash", "CNY").id}) == 4


def test_lines_of_one_account_are_added_up_and_nothing_is_not_posted() -> None:
    fees, tips = AccountRef(OWN, "fees", "CNY"), AccountRef(OWN, "tips", "CNY")
    post((CASH, 300), (fees, 0), (CASH, 200), (SALES, -499), (tips, 7), (tips, -7), (fees, -1))
    assert {one.code: one.amount for one in Posting.objects.all()} == {"cash": 500, "sales": -499, "fees": -1}


def test_each_currency_balances_by_itself() -> None:
    dollars = AccountRef(OWN, "cash", "USD"), AccountRef(OWN, "sales", "USD")
    with pytest.raises(ValueError, match=r"\{'CNY': 0, 'USD': 1\}"):
        post((CASH, 5), (SALES, -5), (dollars[0], 5), (dollars[1], -4))
    with pytest.raises(ValueError, match=r"\{'CNY': 1, 'USD': -1\}"):
        post((CASH, 1), (dollars[0], -1))
    assert not Posting.objects.exists()


def test_a_balance_is_of_one_owner_code_and_currency() -> None:
    others = [AccountRef(OTHER, "cash", "CNY"), AccountRef(OWN, "till", "CNY"), AccountRef(OWN, "cash", "USD")]
    for ref in [CASH, *others]:
        post((ref, 500), (AccountRef(THIRD, "sales", ref.currency), -500))
    post((CASH, -120), (SALES, 120))
    assert ledger.balance(CASH) == 380
    assert [ledger.balance(ref) for ref in others] == [500, 500, 500]
    assert ledger.balance(AccountRef(THIRD, "cash", "CNY")) == 0


def test_balances_are_of_these_owners_and_one_code() -> None:
    mine, theirs, thirds = (AccountRef(owner, "cash", "CNY") for owner in (OWN, OTHER, THIRD))
    post((mine, 500), (SALES, -500))
    post((mine, -120), (theirs, 70), (thirds, 50))
    assert ledger.balances([OWN, OTHER, UUID(int=4)], "cash") == {OWN: 380, OTHER: 70}


def test_a_turnover_is_of_one_cause_and_code() -> None:
    first, second = ids.new_id(), ids.new_id()
    post((CASH, 500), (SALES, -500), cause=first)
    post((CASH, -20), (SALES, 20), cause=first)
    post((CASH, 7), (SALES, -7), cause=second)
    assert (ledger.turnover(first, "cash"), ledger.turnover(first, "sales")) == (480, -480)
    assert ledger.turnover(ids.new_id(), "cash") == 0
    assert ledger.turnover(first, "till") == 0


def test_accounts_are_those_of_the_owners_in_order() -> None:
    dollars = AccountRef(OWN, "cash", "USD")
    theirs = AccountRef(OTHER, "cash", "CNY")
    post((SALES, -30), (theirs, 10), (CASH, 20))
    post((dollars, 4), (AccountRef(THIRD, "sales", "USD"), -4))
    found = ledger.accounts([OTHER, OWN])
    assert [(view.ref, view.balance) for view in found] == [(CASH, 20), (theirs, 10), (dollars, 4), (SALES, -30)]
    assert [view.ref for view in ledger.accounts([OTHER])] == [theirs]


def test_a_journal_shows_its_debits_first_and_what_changed_sides() -> None:
    refs = [AccountRef(OWN, code, "CNY") for code in ("a", "b", "c", "d")]
    key = post((refs[3], 500), (refs[2], 500), (refs[1], 1), (refs[0], -1001))
    (view,) = ledger.journals([OWN])[0]
    assert [(one.account, one.amount) for one in view.postings] == [
        (refs[2], 500),
        (refs[3], 500),
        (refs[1], 1),
        (refs[0], -1001),
    ]
    assert (view.key, view.kind, view.actor, view.amount) == (key, "sale", THE_SYSTEM.name, 1001)


def test_what_the_ledger_tells_is_fixed() -> None:
    """Views go from hand to hand; nobody changes what another reads."""
    view = JournalView(OWN, "k", "sale", OWN, NOON, "system:", [PostingView(CASH, 1)])
    for thing, name in (
        (CASH, "code"),
        (ledger.AccountView(CASH, 1), "balance"),
        (view.postings[0], "amount"),
        (view, "key"),
    ):
        with pytest.raises(AttributeError):
            setattr(thing, name, "another")


def seven() -> list[str]:
    """Seven journals of OWN, oldest first, two at a moment; between them one that touches only others."""
    made = []
    for number in range(7):
        with clock.frozen(NOON + timedelta(minutes=number // 2)):
            till = AccountRef(OWN, "till", "CNY" if number % 3 else "USD")
            post((AccountRef(OTHER, "cash", "CNY"), 1), (AccountRef(THIRD, "sales", "CNY"), -1))
            made.append(post((till, 10), (AccountRef(THIRD, "sales", till.currency), -10)))
    return made


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
def test_pages_of_journals_neither_skip_nor_repeat(limit: int) -> None:
    made = seven()
    seen, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        views, cursor = ledger.journals([OWN], cursor=cursor, limit=limit)
        assert 0 < len(views) <= limit
        seen += keys(views)
        pages += 1
    assert seen == made[::-1]
    assert pages == -(-7 // limit)


def test_a_page_of_journals_is_forty() -> None:
    for _ in range(41):
        post((CASH, 1), (SALES, -1))
    views, cursor = ledger.journals([OWN])
    assert len(views) == 40
    assert len(ledger.journals([OWN], cursor=cursor)[0]) == 1


def test_journals_of_an_account_and_of_owners() -> None:
    made = seven()
    assert keys(ledger.journals([OWN], account=AccountRef(OWN, "till", "USD"))[0]) == [made[6], made[3], made[0]]
    post((CASH, 1), (AccountRef(THIRD, "sales", "CNY"), -1))
    assert len(ledger.journals([OWN])[0]) == 8
    assert keys(ledger.journals([OWN], account=AccountRef(OWN, "till", "CNY"))[0]) == [
        made[number] for number in (5, 4, 2, 1)
    ]
    for stranger in (AccountRef(OTHER, "till", "CNY"), AccountRef(THIRD, "sales", "CNY")):
        assert ledger.journals([OWN], account=stranger) == ([], "")
    assert len(ledger.journals([OTHER])[0]) == 7
    till = AccountRef(OTHER, "till", "CNY")
    key = post((till, 2), (CASH, -2))
    assert keys(ledger.journals([OWN, OTHER], account=till)[0]) == [key]


def test_journals_of_causes_are_told_oldest_first() -> None:
    first, second = ids.new_id(), ids.new_id()
    with clock.frozen(NOON + timedelta(minutes=1)):
        late = [post((CASH, 1), (SALES, -1), cause=cause) for cause in (second, first)]
    with clock.frozen(NOON):
        early = post((CASH, 1), (SALES, -1), cause=first)
        post((CASH, 1), (SALES, -1))
    assert keys(ledger.journals_of([first, second])) == [early, *late]
    assert keys(ledger.journals_of([second])) == late[:1]


def test_one_journal_is_for_those_whose_accounts_it_touches() -> None:
    post((CASH, 5), (AccountRef(OTHER, "sales", "CNY"), -5))
    (view,) = ledger.journals([OWN])[0]
    assert ledger.journal([OWN], view.id) == ledger.journal([THIRD, OTHER], view.id) == view
    assert ledger.journal([THIRD], view.id) is None
    assert ledger.journal([OWN], ids.new_id()) is None


def test_credited_is_what_one_actor_gave_by_some_kinds_to_some_codes() -> None:
    cause = ids.new_id()
    clerk, points = Actor(kind="staff", user_id=OTHER), AccountRef(OWN, "points", "PTS")
    payable = AccountRef(OWN, "payable", "CNY")

    def credited() -> int:
        return ledger.credited(cause, clerk.name, ["refund", "gift"], ["payable", "points"])

    assert credited() == 0
    post((SALES, 40), (payable, -40), cause=cause, kind="refund", actor=clerk)
    post((AccountRef(OWN, "gifts", "PTS"), 1), (points, -1), cause=cause, kind="gift", actor=clerk)
    assert credited() == 41
    # Another cause, actor, kind and code; and a debit.
    post((SALES, 2), (payable, -2), kind="refund", actor=clerk)
    post((SALES, 3), (payable, -3), cause=cause, kind="refund")
    post((SALES, 4), (payable, -4), cause=cause, kind="sale", actor=clerk)
    post((SALES, 5), (CASH, -5), cause=cause, kind="refund", actor=clerk)
    post((payable, 6), (CASH, -6), cause=cause, kind="refund", actor=clerk)
    assert credited() == 41
