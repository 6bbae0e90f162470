"""Orders that this visit may see, and the last one for the reorder chip."""

from __future__ import annotations

from dataclasses import dataclass, replace

from highstreet.kernel import ids
from highstreet.kernel.policy import Actor
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations.reads import in_language
from highstreet.trade.orders import reads as orders
from highstreet.trade.orders.reads import OrderView

from .visit import Visit


@dataclass(frozen=True)
class Last:
    ref: str
    words: str
    total: int


def holder(visit: Visit) -> Actor:
    """The actor with the orders that this browser placed."""
    return replace(visit.actor, order_keys=frozenset(visit.order_keys))


def last_order(visit: Visit) -> Last | None:
    """What was bought last, in a few words; None for who never did, or does not want to be reminded."""
    if not visit.remembers:
        return None
    if visit.actor.customer_id is None and not visit.order_keys:
        return None
    found = orders.orders_of(holder(visit), limit=1)
    if not found:
        return None
    names = [in_language(*both) for both in orders.line_names(found[0].id).values()]
    return Last(ids.public("ord", found[0].id), in_language("、", ", ").join(names), found[0].total)


def find(visit: Visit, ref: str) -> tuple[Actor, OrderView]:
    """The own order of a key (whoever has it may see it) or of a public id, with who may act on it."""
    order_id = ids.private("ord", ref)
    order = orders.by_key(ref) if order_id is None else orders.order(holder(visit), order_id)
    if not order.mine:
        raise Refused(NOT_FOUND)
    return replace(visit.actor, order_keys=frozenset({order.key})), order
