"""Everything around one order: its history, money, promise and way, read once and put into words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from highstreet.delivery.couriers import reads as couriers
from highstreet.delivery.dispatch import reads as dispatch
from highstreet.delivery.fleets import reads as fleets
from highstreet.delivery.promise import reads as promises
from highstreet.delivery.promise.reads import PromiseView
from highstreet.kernel import clock, ids, ledger, states
from highstreet.kernel.ledger import JournalView
from highstreet.kernel.policy import Actor
from highstreet.kernel.states import Change
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.orders.reads.console import Sheet
from highstreet.trade.payments import reads as payments
from highstreet.web.ui.templatetags.ui import day_time, distance, local_time, minutes, money

from .. import words
from .frame import Scope
from .why import Decision, decision

TONES = {
    "delivered": "ok",
    "completed": "ok",
    "captured": "ok",
    "cancelled": "bad",
    "failed": "bad",
    "broken": "bad",
    "rejected": "bad",
    "expired": "bad",
    "returned": "warn",
    "waiting": "warn",
}
# The order's own status and payment axis repeat what the finer machines say, and are told where those do not.
TOLD = {
    "order": words.ORDER,
    "order_payment": words.PAYMENT,
    "payment": words.PAYMENT,
    "refund": words.REFUND,
    "fulfilment": words.FULFILMENT,
    "delivery": words.DELIVERY,
}


@dataclass(frozen=True)
class Step:
    """One entry of the timeline; `c-timeline` draws it."""

    at: datetime
    time: str
    title: str
    text: str
    tone: str


@dataclass(frozen=True)
class Fact:
    """A name and its value."""

    name: str
    value: str


@dataclass(frozen=True)
class Money:
    """A payment or a refund."""

    title: str
    state: str
    tone: str
    amount: int
    at: datetime
    number: str


@dataclass(frozen=True)
class Booked:
    """A journal of the order with its words."""

    journal: JournalView
    code: str
    kind: str
    sides: list[tuple[str, int, str]]


@dataclass(frozen=True)
class Dossier:
    """What the order's page shows beside the order."""

    steps: list[Step]
    outcome: str
    outcome_tone: str
    promise: list[Fact]
    way: list[Fact]
    money: list[Money]
    journals: list[Booked]
    decisions: list[Decision]

    @staticmethod
    def of(actor: Actor, sheet: Sheet, scope: Scope) -> Dossier:
        """A dozen reads of the packages that know; the caller has read the order as `actor`."""
        order_id = sheet.row.id
        intents, refunds = payments.intents(order_id), payments.refunds(order_id)
        ways = dispatch.deliveries(order_id)
        going = fulfilments.ids_of(order_id)
        names = couriers.names([sheet.city_id]) if ways else {}
        subjects = [
            order_id,
            *going,
            *(way.id for way in ways),
            *(one.id for one in intents),
            *(one.id for one in refunds),
        ]
        kept = promises.promise(order_id)
        paid = [
            Money(
                _("Payment by {method}").format(method=words.of(words.METHODS, one.provider)),
                words.of(words.PAYMENT, one.status),
                words.PAYMENT_TONE.get(one.status, ""),
                one.captured or one.amount,
                one.created_at,
                one.out_trade_no,
            )
            for one in intents
        ]
        back = [
            Money(
                _("Refund: {reason}").format(reason=words.of(words.REASONS, one.reason)),
                words.of(words.REFUND, one.status),
                words.REFUND_TONE.get(one.status, ""),
                -one.amount,
                one.created_at,
                "",
            )
            for one in refunds
        ]
        booked = ledger.journals_of([order_id, *(way.id for way in ways)]) if actor.may("ledger.read") else []
        decisions = dispatch.decisions(actor=actor, order_id=order_id) if ways else []
        zone = scope.city.zone
        return Dossier(
            _steps(sheet, states.history(subjects), zone_of=zone),
            *_outcome(sheet, kept),
            _promise(sheet, kept),
            _way(ways, names),
            paid + back,
            [booking(one, scope) for one in booked],
            [decision(one, names) for one in decisions],
        )


def booking(journal: JournalView, scope: Scope, names: dict[UUID, str] | None = None) -> Booked:
    """A journal in words: its kind, and each side's account and owner."""
    known = {scope.city.retailer_id: "", **(names or {})}
    sides = [
        (words.of(words.ACCOUNTS, one.account.code), one.amount, known.get(one.account.owner, ""))
        for one in journal.postings
    ]
    return Booked(journal, ids.public("jou", journal.id), words.of(words.JOURNALS, journal.kind), sides)


def _steps(sheet: Sheet, changes: list[Change], zone_of: object) -> list[Step]:
    row = sheet.row
    made = [
        Step(
            row.placed_at,
            "",
            _("Ordered"),
            _("{mode}, {amount}").format(mode=words.of(words.MODES, row.mode), amount=money(row.total, row.currency)),
            "info",
        )
    ]
    own = {change.at for change in changes if change.machine != "order"}
    paid_online = any(change.machine == "payment" for change in changes)
    for change in changes:
        # An order's status follows from the others: told only where no finer change says it at the same moment.
        if change.machine == "order" and change.at in own and change.now != "cancelled":
            continue
        # So does what is paid of it from its payments and refunds.
        if change.machine == "order_payment" and paid_online:
            continue
        title = words.of(TOLD.get(change.machine, {}), change.now)
        by = words.actor(change.actor)
        why = words.of(words.REASONS, change.note) if change.note else ""
        made.append(
            Step(change.at, "", title, " · ".join(part for part in (by, why) if part), TONES.get(change.now, ""))
        )
    made.sort(key=lambda step: step.at)
    made.reverse()
    here = localtime(clock.now(), zone_of)  # type: ignore[arg-type]
    return [Step(step.at, _moment(step.at, here), step.title, step.text, step.tone) for step in made]


def _moment(at: datetime, here: datetime) -> str:
    local = at.astimezone(here.tzinfo)
    seconds = f"{local:%H:%M:%S}"
    return seconds if local.date() == here.date() else f"{local:%Y-%m-%d} {seconds}"


def _outcome(sheet: Sheet, kept: PromiseView | None) -> tuple[str, str]:
    if kept is None:
        return _("No promise"), ""
    tone = words.PROMISE_TONE.get(kept.outcome, "")
    if kept.outcome == "open" and clock.now() > sheet.row.promised_to:
        return _("Late, still running"), "late"
    return words.of(words.PROMISE, kept.outcome), tone


def _promise(sheet: Sheet, kept: PromiseView | None) -> list[Fact]:
    """What was promised, on what it rests, what came of it."""
    facts = [Fact(_("Promised by"), day_time(sheet.row.promised_to))]
    if kept is None:
        return facts
    basis = kept.basis
    if kept.begins_at is not None:
        chosen = f"{day_time(kept.promised_from)}–{local_time(kept.promised_to)}"
        facts.append(
            Fact(_("Chosen by the shopper"), chosen if kept.mode == "delivery" else day_time(kept.promised_to))
        )
        facts.append(Fact(_("The store begins"), day_time(kept.begins_at)))
    facts.append(Fact(_("Held with"), _("{quantile} % certainty").format(quantile=kept.quantile)))
    told: dict[str, tuple[str, Callable[[Any], str]]] = {
        "start_at": (_("The store begins"), lambda at: day_time(datetime.fromisoformat(at))),
        "prep_minutes": (_("Picking and packing"), minutes),
        "courier_minutes": (_("Until a courier is there"), minutes),
        "travel_seconds": (_("The way by road"), _seconds),
        "residual_seconds": (_("Reserve for surprises"), _seconds),
        "load_orders": (_("Orders before it in the store"), str),
        "units": (_("Units"), str),
        "slot_words": (_("Courier capacity taken at"), str),
    }
    facts += [Fact(label, show(basis[name])) for name, (label, show) in told.items() if name in basis]
    if kept.fulfilled_at is not None:
        facts.append(Fact(_("Done at"), day_time(kept.fulfilled_at)))
    if kept.late_seconds is not None:
        early = kept.late_seconds <= 0
        facts.append(Fact(_("Before its time") if early else _("Late by"), _seconds(abs(kept.late_seconds))))
    if kept.compensation:
        facts.append(Fact(_("Made good with"), money(kept.compensation, sheet.row.currency)))
    return facts


def _seconds(value: float) -> str:
    return minutes(value / 60)


def _way(ways: list[dispatch.DeliveryView], names: dict[UUID, str]) -> list[Fact]:
    if not ways:
        return []
    last = ways[-1]
    facts = [
        Fact(_("Delivery"), words.of(words.DELIVERY, last.status)),
        Fact(_("Courier"), _who(last, names)),
    ]
    if last.distance_m:
        facts.append(Fact(_("Way"), distance(last.distance_m)))
    if last.eta is not None:
        facts.append(Fact(_("Expected at the door"), day_time(last.eta)))
    if last.pay:
        facts.append(Fact(_("Courier's pay"), money(last.pay)))
    if last.proof_kind:
        proofs = {"code": _("code"), "photo": _("photo"), "fleet": _("the fleet's word")}
        facts.append(Fact(_("Proof"), proofs.get(last.proof_kind, last.proof_kind)))
    if last.incident:
        facts.append(Fact(_("Incident"), words.of(words.INCIDENTS, last.incident)))
    return facts


def _who(way: dispatch.DeliveryView, names: dict[UUID, str]) -> str:
    """Our courier, or the fleet and whom it named."""
    if way.carrier == "fleet":
        return fleets.brought_by(way.id) or "–"
    return names.get(way.courier_id, "–") if way.courier_id else "–"
