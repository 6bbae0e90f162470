"""Incoming orders: what is due first, what is for later, accepted with one tap or rejected with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from highstreet.kernel import clock, ids
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import FORBIDDEN
from highstreet.trade.fulfilment import actions
from highstreet.trade.fulfilment import reads as fulfilments
from highstreet.trade.fulfilment.ports import Rider
from highstreet.trade.fulfilment.reads import FulfilmentCard

from . import chosen
from .frame import StaffRequest, go, order_for, page, store_for, stores_for, tried

REASONS = {
    "out_of_stock": gettext_lazy("We do not have the goods"),
    "too_busy": gettext_lazy("Too many orders to be on time"),
    "closing": gettext_lazy("We are closing"),
    "equipment": gettext_lazy("Something is broken (fridge, till, power)"),
    "other": gettext_lazy("Another reason"),
}
SOON_MINUTES = 5


@route("fulfilment.read")
def home(request: StaffRequest) -> HttpResponse:
    """Straight to the only store, or a choice of stores."""
    mine = stores_for(request.actor)
    if not mine:
        raise Refused(FORBIDDEN)
    if len(mine) == 1:
        return redirect("store:queue", ids.public("str", mine[0].id))
    rows = [(store, ids.public("str", store.id)) for store in mine]
    return render(request, "store/choose.html", {"stores": rows, "now": clock.now()})


@route("fulfilment.read")
def queue(request: StaffRequest, store: str) -> HttpResponse:
    """Every open order by urgency: new, being picked, for later, waiting to leave."""
    return _queue(request, store)


@route("fulfilment.work")
@require_POST
def accept(request: StaffRequest, store: str, order: str) -> HttpResponse:
    """Take the order; its pick list is the next page, or the queue when it is for later."""
    shop = store_for(request, store)
    view = order_for(request, shop, order)
    done = tried(lambda: actions.accept(actor=request.actor, fulfilment_id=view.id))
    if done.refused:
        return _queue(request, store, done.refused)
    if chosen.waits_until(view, clock.now()):
        say = _("{number} accepted: it waits under Later until it is time").format(number=view.order_number)
        return go(request, "queue", store, say=say)
    return go(request, "order", store, order, say=_("{number} accepted").format(number=view.order_number))


@route("fulfilment.work")
def reject(request: StaffRequest, store: str, order: str) -> HttpResponse:
    """Say why, once; the order goes to the next store that can keep a promise, else the money goes back."""
    shop = store_for(request, store)
    view = order_for(request, shop, order)
    context = {"order": view, "order_code": order, "reasons": REASONS}
    if request.method != "POST":
        return page(request, shop, "reject", context, tab="queue")
    chosen = request.POST.get("reason", "")
    if chosen not in REASONS:
        context["problem"] = _("Choose a reason")
        return page(request, shop, "reject", context, tab="queue", status=422)
    done = tried(lambda: actions.reject(actor=request.actor, fulfilment_id=view.id, reason=chosen))
    if done.refused:
        return page(request, shop, "reject", {**context, "chosen": chosen}, tab="queue", refused=done.refused)
    return go(request, "queue", store, say=_("{number} rejected").format(number=view.order_number))


def _queue(request: StaffRequest, code: str, refused: Refused | None = None) -> HttpResponse:
    shop = store_for(request, code)
    now = clock.now()
    rows = [QueueRow.of(card, now, shop.zone) for card in fulfilments.queue(actor=request.actor, store_id=shop.id)]
    later = [row for row in rows if row.is_later]
    due = [row for row in rows if not row.is_later]
    context = {
        "new": [row for row in due if row.card.status == "pending"],
        "picking": [row for row in due if row.card.status in ("accepted", "picking", "packed")],
        "later": sorted(later, key=lambda row: (row.starts, row.card.order_number)),
        "pending": sum(row.card.status == "pending" for row in rows),
        "ready": [row for row in rows if row.card.status == "ready"],
    }
    template = "queue_lists" if request.htmx else "queue"
    return page(request, shop, template, context, tab="queue", refused=refused)


def coming(rider: Rider | None) -> str:
    """Who comes for a bag, in words; empty while nobody does."""
    if rider is None:
        return ""
    tail = f" …{rider.phone_tail}" if rider.phone_tail else ""
    name = (rider.name or _("The courier")) + tail
    if rider.here:
        return _("{name} is here").format(name=name)
    if rider.arrives is None:
        return _("{name} is on the way").format(name=name)
    minutes = max(round((rider.arrives - clock.now()).total_seconds() / 60), 1)
    return _("{name} in about {minutes} min").format(name=name, minutes=minutes)


@dataclass(frozen=True)
class Due:
    """How urgent: the badge's tone and its words."""

    tone: str
    words: str

    @staticmethod
    def of(at: datetime, now: datetime) -> Due:
        minutes = int((at - now).total_seconds() // 60)
        if minutes < 0:
            return Due("late", _("{minutes} min late").format(minutes=-minutes))
        words = _("{minutes} min left").format(minutes=minutes) if minutes else _("under 1 min left")
        return Due("warn" if minutes < SOON_MINUTES else "ok", words)


@dataclass(frozen=True)
class QueueRow:
    """One order of the list with its public id and its urgency; `window` in words, if one was chosen.

    `starts`: when to begin with it, while that is later. `comes`: who fetches it, in words, once somebody does.
    """

    card: FulfilmentCard
    code: str
    due: Due
    window: str
    starts: datetime | None
    comes: str

    @property
    def is_later(self) -> bool:
        """Not before its time; but what only waits for a courier is new until it is accepted: one is sought then."""
        return self.starts is not None and (bool(self.window) or self.card.status != "pending")

    @staticmethod
    def of(card: FulfilmentCard, now: datetime, zone: tzinfo) -> QueueRow:
        starts = chosen.waits_until(card, now)
        due = Due("info", chosen.start(starts, now, zone)) if starts else Due.of(card.ready_by, now)
        window = chosen.window(card, now, zone)
        return QueueRow(card, ids.public("ful", card.id), due, window, starts, coming(card.rider))
