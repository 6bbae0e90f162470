"""What an order's page says: where it stands, what happens next, who pays if it goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from highstreet.delivery.dispatch.reads.tracking import Delay, TrackView
from highstreet.delivery.dispatch.rules.causes import LATE_SECONDS
from highstreet.delivery.dispatch.rules.ends import BACK_WITHIN
from highstreet.delivery.promise.reads import PromiseView
from highstreet.kernel import clock
from highstreet.trade.orders.reads import OrderView
from highstreet.trade.orders.rules import ON_HANDOVER
from highstreet.web.ui import rules as ui

from .. import rules
from ..templatetags.shop import yuan

# After these the courier still has the goods. A fleet that gave it up on the way has told us nothing of them.
GOES_BACK = ("nobody_home", "not_paid", "refused", "called_back", "damaged", "cannot_go_on")


@dataclass(frozen=True)
class Say:
    """`big` is the time or the state, `next` what happens next; `badge` with its `tone` the promise against now, `why`
    the cause where that is late."""

    big: str
    next: str
    badge: str = ""
    tone: str = "ok"
    why: str = ""


def at(moment: datetime) -> str:
    return ui.day_time(timezone.localtime(moment), timezone.localtime(clock.now()), get_language())


def by(moment: datetime) -> str:
    return ui.by_time(timezone.localtime(moment), timezone.localtime(clock.now()), get_language())


def chosen(order: OrderView) -> str:
    """The window that a delivery's shopper chose; "" for as soon as possible, and while it is not the store's yet."""
    going = order.fulfilment
    if going is None or going.not_before is None:
        return ""
    local = timezone.localtime
    return rules.window(local(order.promised_from), local(order.promised_to), local(clock.now()), get_language())


def minutes(seconds: float) -> str:
    return ui.minutes(seconds / 60, get_language())


def say(order: OrderView, track: TrackView | None, promise: PromiseView | None, delay: Delay) -> Say:
    """The headline of an order's page."""
    if order.waits_for_payment:
        return Say(
            _("Waiting for payment"), _("Pay by {time}, then the store starts.").format(time=at(order.expires_at))
        )
    if order.status in ("pending", "expired"):
        return Say(
            _("Not paid in time"), _("Nothing was charged. The goods went back on the shelf; order again below.")
        )
    if order.status == "cancelled":
        return Say(_("Cancelled"), _cancelled(order), _reason(order.end_reason, track), "bad")
    if order.status == "completed":
        return _completed(order, promise)
    if track is not None and track.undelivered:
        return _undelivered(order, track, promise)
    said = _pickup(order) if order.mode == "pickup" else _delivery(order, track, delay)
    return replace(said, badge=_("Chosen time"), tone="info") if _starts(order) and _is_chosen(order) else said


def _cancelled(order: OrderView) -> str:
    if not order.captured:
        return _("Nothing was charged.")
    back = ui.money(order.given_back)
    return _("{amount} goes back to where you paid from, in minutes; the bank may take a day.").format(amount=back)


def _reason(code: str, track: TrackView | None) -> str:
    if code == "returned" and track is not None:
        return _failure(track)
    known = {
        "customer": _("You cancelled it"),
        "nothing_left": _("Everything in it was sold out"),
        "not_packed": _("The store did not pack it in time"),
        "not_collected": _("It was not picked up in time"),
        "no_store": _("No store could keep the promise"),
        "no_courier": _("No courier could be found"),
        "support": _("Our support cancelled it"),
        "late_payment": _("The payment came after its time"),
    }
    return known.get(code, _("The store could not fulfil it"))


def _completed(order: OrderView, promise: PromiseView | None) -> Say:
    ended = order.ended_at or clock.now()
    big = _("Picked up at {time}") if order.mode == "pickup" else _("Delivered at {time}")
    head = big.format(time=at(ended))
    if promise is None or promise.outcome != "broken" or not promise.late_seconds:
        return Say(head, _("Within the promised time."), _("Promise kept"))
    late = _("{minutes} late").format(minutes=minutes(promise.late_seconds))
    return Say(head, made_good(promise.compensation, order), late, "late")


def made_good(amount: int, order: OrderView) -> str:
    """Who pays for a delay, in words."""
    if not amount:
        return _("We are sorry.")
    if order.compensated and order.payment_method in ON_HANDOVER:
        return _("{amount} is kept for you in cash at {store}.").format(amount=yuan(amount), store=order.store.name)
    if order.compensated:
        return _("{amount} went back to WeChat by itself.").format(amount=yuan(amount))
    return _("{amount} in points are on your account.").format(amount=yuan(amount))


def _pickup(order: OrderView) -> Say:
    going = order.fulfilment
    if going is not None and going.status == "ready":
        return Say(
            _("Ready to pick up"),
            _("Show the code at {store}.").format(store=order.store.name),
            pgettext("shopper", "Ready"),
        )
    left = (order.promised_to - clock.now()).total_seconds()
    if left < 0:
        return Say(
            at(order.promised_to),
            _("It is taking longer. We tell you here when it is ready."),
            _("{minutes} late").format(minutes=minutes(-left)),
            "late",
        )
    return Say(_("Ready {by}").format(by=by(order.promised_to)), _stage(order, None), _("On time"))


def _delivery(order: OrderView, track: TrackView | None, delay: Delay) -> Say:
    now, window = clock.now(), chosen(order)
    if delay.late_seconds >= LATE_SECONDS:
        badge = _("About {minutes} late").format(minutes=minutes(delay.late_seconds))
        return Say(at(delay.expected or order.promised_to), _stage(order, track), badge, "late", _why(track, delay))
    eta = max(track.eta, now) if track and track.eta else None
    if eta is None:
        big = str(capfirst(window)) if window else at(order.promised_to)
        return Say(big, _stage(order, track), _("On time"))
    ahead = (order.promised_to - eta).total_seconds()
    if ahead >= 60 and not window:
        return Say(at(eta), _stage(order, track), _("{minutes} ahead of the promise").format(minutes=minutes(ahead)))
    return Say(at(eta), _stage(order, track), _("On time"))


def _why(track: TrackView | None, delay: Delay) -> str:
    """What a delay comes from, while it does."""
    waits = track is not None and track.status in ("waiting", "assigned")
    n = track.stops_before if track else 0
    known = {
        "goods_awaited": _("Late because the store is still packing; the courier is waiting there."),
        "not_packed": _("Late because the store has not packed it yet."),
        "other_store": _("Late because another store had to take it over."),
        "no_courier": _("Late because no courier has taken it yet."),
        "other_courier": _("Late because the first courier does not bring it after all. We are finding another.")
        if waits
        else _("Late because another courier had to take over."),
        "other_door": ngettext(
            "Late because the courier has {n} stop before yours.",
            "Late because the courier has {n} stops before yours.",
            n,
        ).format(n=n),
        "courier_late": _("Late because the courier is still on the way to the store.")
        if track is not None and track.status == "accepted"
        else _("Late because the courier came to the store late."),
        "packed_late": _("Late because the store packed it late."),
        "slow_ride": _("Late because the ride takes longer than planned."),
    }
    return known.get(delay.cause, "")


def _undelivered(order: OrderView, track: TrackView, promise: PromiseView | None) -> Say:
    """It could not be given over. Nobody comes a second time: the goods go back, then all of the money."""
    hours = BACK_WITHIN // timedelta(hours=1)
    if order.payment_method == "at_door" and not order.captured:
        after = _("The order ends, and you owe nothing.")
    elif track.status == "returned":
        after = _("The order ends now, and everything you paid goes back.")
    elif track.incident in GOES_BACK:
        after = _(
            "The courier takes it back to {store}. Once it is there, in {hours} hours at most, "
            "the order ends and everything you paid goes back."
        ).format(store=order.store.name, hours=hours)
    else:
        after = _(
            "We are looking for it. In {hours} hours at most the order ends and everything you paid goes back."
        ).format(hours=hours)
    if promise is not None and promise.outcome == "broken" and promise.compensation:
        after = f"{after} {made_good(promise.compensation, order)}"
    return Say(_failure(track), after, _("Not delivered"), "bad")


def _failure(track: TrackView) -> str:
    """Why it could not be given over, as our courier or a hired fleet said it."""
    known = {
        "nobody_home": _("Nobody opened"),
        "not_paid": _("It was not paid for at the door"),
        "refused": _("It was not taken at the door"),
        "called_back": _("The courier was called back"),
        "damaged": _("Damaged on the way"),
        "cannot_go_on": _("The courier could not go on"),
        "lost": _("Lost on the way"),
    }
    return known.get(track.incident, _("It could not be delivered"))


def _is_chosen(order: OrderView) -> bool:
    """Whether the shopper chose the time; a pick-up is begun later for nothing else."""
    going = order.fulfilment
    return going is not None and (going.not_before is not None or order.mode == "pickup")


def _starts(order: OrderView) -> datetime | None:
    """When the store begins with an order that waits for its chosen time or its courier; None where it has or may."""
    going = order.fulfilment
    if going is None or going.status not in ("pending", "accepted") or going.start_at is None:
        return None
    return going.start_at if going.start_at > clock.now() else None


def _stage(order: OrderView, track: TrackView | None) -> str:
    """What is being done now."""
    going = order.fulfilment
    status = going.status if going else "pending"
    starts = _starts(order)
    if starts is not None:
        return _("The store starts picking at {time}.").format(time=ui.clock_time(timezone.localtime(starts)))
    if going is not None and status == "picking":
        return _("The store is picking: {done} of {all}.").format(done=going.picked, all=going.units)
    if status in ("packed", "ready"):
        if order.mode == "pickup":
            return _("Packed.")
        if track is not None and track.courier_name:
            return _("Packed. {courier} is on the way to the store.").format(courier=track.courier_name)
        return _("Packed and waiting for its courier.")
    if track is not None and status in ("handed_over", "in_transit"):
        if track.stops_before:
            return ngettext(
                "{courier} is on the way, {n} stop before yours.",
                "{courier} is on the way, {n} stops before yours.",
                track.stops_before,
            ).format(courier=track.courier_name or _("The courier"), n=track.stops_before)
        return _("{courier} is on the way to you.").format(courier=track.courier_name or _("The courier"))
    return _("The store has it and starts in a moment.") if status in ("pending", "accepted") else ""


def steps(order: OrderView) -> list[dict[str, Any]]:
    """The order's way for <c-steps>: what is done, what is going on."""
    words = {
        "placed": _("Ordered"),
        "accepted": _("Accepted"),
        "ready": pgettext("shopper", "Packed"),
        "handed_over": _("On the way"),
        "delivered": _("Delivered"),
        "collected": _("Picked up"),
    }
    known = order.steps
    if order.status in ("cancelled", "expired"):
        reached = [pair for pair in known if pair[1] is not None]
        end = _("Cancelled") if order.status == "cancelled" else _("Not paid")
        return [*(_step(words[name], "done", when) for name, when in reached), _step(end, "fail", order.ended_at)]
    last = max(index for index, (_name, when) in enumerate(known) if when is not None)
    return [
        _step(words[name], "todo" if index > last else "now" if index == last and order.live else "done", when)
        for index, (name, when) in enumerate(known)
    ]


def _step(label: str, state: str, when: datetime | None) -> dict[str, Any]:
    return {"label": label, "state": state, "time": at(when) if when else ""}
