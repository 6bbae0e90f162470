"""The ledger: accounts, journals, one journal; the audit; alerts."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.db import OperationalError
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.fleets import reads as fleets
from highstreet.growth.partners import reads as partners
from highstreet.kernel import audit, clock, ids, ledger
from highstreet.kernel.ledger import AccountView
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores
from highstreet.trade.orders.reads import console as orders
from highstreet.trade.payments import actions as payments
from highstreet.trade.payments import reads as payment_reads

from .. import words
from .dossier import Booked, booking
from .frame import Scope, StaffRequest, go, known, page, scope_of, tried


@dataclass(frozen=True)
class Owners:
    """Whose books the actor reads: the organisation's own, and of a retailer its couriers'."""

    own: UUID
    names: dict[UUID, str]

    @property
    def all(self) -> list[UUID]:
        return [self.own, *(owner for owner in self.names if owner != self.own)]


@dataclass(frozen=True)
class Account:
    """An account in words. Debit balances are positive."""

    view: AccountView
    code: str
    title: str
    owner: str


@dataclass(frozen=True)
class Result:
    """One invariant: its checks, and what each found broken."""

    name: str
    title: str
    checks: list[tuple[str, list[str]]]

    @property
    def broken(self) -> int:
        return sum(bool(rows) for _says, rows in self.checks)


@route("ledger.read")
def accounts(request: StaffRequest) -> HttpResponse:
    """Every account with its balance; the sum of all sides of every journal is zero."""
    scope = scope_of(request)
    owners = _owners(request, scope)
    found = [_account(one, owners) for one in ledger.accounts(owners.all)]
    own = [one for one in found if one.view.ref.owner == owners.own]
    people = [one for one in found if one.view.ref.owner != owners.own and one.view.balance]
    codes = dict.fromkeys(one.view.ref.code for one in people)
    of_couriers = [[one for one in people if one.view.ref.code == code] for code in codes]
    context = {"own": own, "people": [(rows, sum(one.view.balance for one in rows)) for rows in of_couriers]}
    return page(request, "accounts", context, tab="ledger")


@route("ledger.read")
def account(request: StaffRequest, account: str) -> HttpResponse:
    """One account: its balance and the journals that made it."""
    scope = scope_of(request)
    owners = _owners(request, scope)
    account_id = known("acc", account)
    view = next((one for one in ledger.accounts(owners.all) if one.ref.id == account_id), None)
    if view is None:
        raise Refused(NOT_FOUND)
    rows, more = ledger.journals(owners.all, account=view.ref, cursor=request.GET.get("from", "")[:60])
    sums = [(row, sum(side.amount for side in row.postings if side.account == view.ref)) for row in rows]
    context = {
        "account": _account(view, owners),
        "rows": [(booking(row, scope, owners.names), amount) for row, amount in sums],
        "next": _more("account", more, account),
    }
    return page(request, "account", context, tab="ledger")


@route("ledger.read")
def journals(request: StaffRequest) -> HttpResponse:
    """Every journal, newest first."""
    scope = scope_of(request)
    owners = _owners(request, scope)
    rows, more = ledger.journals(owners.all, cursor=request.GET.get("from", "")[:60])
    context = {"rows": [booking(row, scope, owners.names) for row in rows], "next": _more("journals", more)}
    return page(request, "journals", context, tab="ledger")


@route("ledger.read")
def journal(request: StaffRequest, journal: str) -> HttpResponse:
    """One journal: its postings, which sum to zero, and what caused it."""
    scope = scope_of(request)
    owners = _owners(request, scope)
    found = ledger.journal(owners.all, known("jou", journal))
    if found is None:
        raise Refused(NOT_FOUND)
    cause = orders.by_ids(actor=request.actor, order_ids=[found.cause]).get(found.cause)
    booked: Booked = booking(found, scope, owners.names)
    lines = [
        (
            ids.public("acc", side.account.id) if side.account.owner in owners.all else "",
            words.of(words.ACCOUNTS, side.account.code),
            owners.names.get(side.account.owner, _("a customer")),
            side,
        )
        for side in found.postings
    ]
    context = {
        "booked": booked,
        "lines": lines,
        "by": words.actor(found.actor),
        "order": (ids.public("ord", cause.id), cause.number) if cause else None,
        "sums": _sums([(side.account.currency, side.amount) for side in found.postings]),
    }
    return page(request, "journal", context, tab="ledger")


@route("audit.run")
def audited(request: StaffRequest) -> HttpResponse:
    """Recompute every invariant over the whole platform, in one snapshot; nothing is changed.

    What is broken is named only to who runs the platform: the rows are of every organisation's books.
    """
    if request.GET.get("run") != "1":
        return page(request, "audit", {"results": None}, tab="audit")
    began = clock.wall()
    try:
        findings = audit.run()
    except OperationalError:
        return page(request, "audit", {"results": None, "slow": True}, tab="audit", status=503)
    own = request.actor.organisation_id
    all_of_it = own is not None and stores.works_everywhere(request.actor) and organisations.runs_platform(own)
    by_name: dict[str, list[tuple[str, list[str]]]] = {}
    for one in findings:
        told = one.broken if all_of_it else [_("a record that only the platform may look at")] * len(one.broken)
        by_name.setdefault(one.check, []).append((words.of(words.SAYS, one.says), told))
    results = [Result(name, words.of(words.INVARIANTS, name), checks) for name, checks in by_name.items()]
    context = {
        "results": results,
        "checks": len(findings),
        "broken": sum(one.broken for one in results),
        "seconds": f"{clock.wall() - began:.1f}",
        "ran_at": clock.now(),
    }
    return page(request, "audit", context, tab="audit")


@route("console.read")
def alerts(request: StaffRequest) -> HttpResponse:
    """Genuine messages that do not fit what we asked for: someone must look."""
    rows = [
        (one, ids.public("alt", one.id), words.of(words.ALERTS, one.kind), sorted(one.facts.items()))
        for one in payment_reads.alerts(actor=request.actor)
    ]
    context: dict[str, object] = {"rows": rows, "may_close": request.actor.may("orders.refund")}
    if request.actor.may("webhooks.manage"):
        off = partners.switched_off(request.actor)
        context["hooks"] = [
            (ids.public("whk", one.id), one.url, words.of(words.HOOK_OFF, one.disabled_reason)) for one in off
        ]
    return page(request, "alerts", context, tab="alerts")


@route("orders.refund")
def close_alert(request: StaffRequest, alert: str) -> HttpResponse:
    """Someone has looked."""
    alert_id = known("alt", alert)
    if request.method != "POST":
        return go(request, "alerts")
    done = tried(lambda: payments.close_alert(actor=request.actor, alert_id=alert_id))
    if done.refused:
        raise done.refused
    return go(request, "alerts", say=_("Noted as looked into"))


def _owners(request: StaffRequest, scope: Scope) -> Owners:
    own = request.actor.organisation_id
    if own is None or not stores.works_everywhere(request.actor):
        # Books are of an organisation: who works in some of its stores has none to read.
        raise Refused(NOT_FOUND)
    names = {own: _("Organisation")}
    if scope.whole_city:
        cities = [city.id for city in organisations.cities() if city.retailer_id == own]
        names |= couriers.names(cities)
        names |= fleets.names(own)
    return Owners(own, names)


def _account(view: AccountView, owners: Owners) -> Account:
    return Account(
        view,
        ids.public("acc", view.ref.id),
        words.of(words.ACCOUNTS, view.ref.code),
        owners.names.get(view.ref.owner, ""),
    )


def _sums(sides: list[tuple[str, int]]) -> list[tuple[str, int]]:
    sums: dict[str, int] = {}
    for currency, amount in sides:
        sums[currency] = sums.get(currency, 0) + amount
    return sorted(sums.items())


def _more(name: str, cursor: str, *args: str) -> str:
    return f"{reverse(f'console:{name}', args=args)}?{urlencode({'from': cursor})}" if cursor else ""
