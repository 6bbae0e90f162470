"""What must be true of every fulfilment (I4, I9), and that none waits for ever (I10)."""

from __future__ import annotations

from highstreet.kernel import audit, clock

from . import rules

# The sweep comes every few seconds of the wall, and may have stood still for a while.
MARGIN_MINUTES = 30

audit.add(
    "I9",
    "a fulfilment is where its history ends",
    "SELECT f.id::text, f.status, h.now FROM fulfilment_fulfilment f LEFT JOIN LATERAL "
    "(SELECT now FROM kernel_statechange WHERE subject = f.id AND machine = 'fulfilment' "
    "ORDER BY at DESC, id DESC LIMIT 1) h ON true WHERE f.status <> COALESCE(h.now, 'pending')",
)
audit.add(
    "I9",
    "what is packed is picked or short, and nobody is still asked",
    "SELECT l.id::text, f.status, l.quantity, l.picked, l.short FROM fulfilment_fulfilmentline l "
    "JOIN fulfilment_fulfilment f ON f.id = l.fulfilment_id "
    "WHERE f.status IN ('packed', 'ready', 'handed_over', 'in_transit', 'delivered', 'failed', 'returning', "
    "'returned') AND (l.picked + l.short <> l.quantity OR l.substitute_state = 'asked')",
)
audit.add(
    "I9",
    "a substitute stands for units that are short",
    "SELECT id::text, short, substitute_quantity FROM fulfilment_fulfilmentline "
    "WHERE substitute_quantity > short OR substitute_quantity < 0",
)
audit.add(
    "I9",
    "a pickup code is redeemed exactly when its order is collected",
    "SELECT c.id::text, f.status FROM fulfilment_pickupcode c JOIN fulfilment_fulfilment f "
    "ON f.id = c.fulfilment_id WHERE (c.redeemed_at IS NOT NULL) <> (f.status = 'delivered')",
)
audit.add(
    "I4",
    "a packed fulfilment claims no units any more",
    "SELECT h.id::text, f.id::text, f.status FROM kernel_hold h JOIN fulfilment_fulfilment f "
    "ON f.\"group\" = h.\"group\" WHERE h.kind IN ('units', 'unit_shares') AND h.state IN ('held', 'confirmed') "
    "AND f.status IN ('packed', 'ready', 'handed_over', 'in_transit', 'delivered', 'failed', 'returning', "
    "'returned', 'cancelled')",
)


def _unanswered() -> str:
    minutes = round(rules.answer_seconds(clock.speed()) // 60) + MARGIN_MINUTES
    return (
        "SELECT id::text, order_number, store_id::text FROM fulfilment_fulfilment "  # noqa: S608
        f"WHERE status = 'pending' AND GREATEST(created_at, start_at) + interval '{minutes} minutes' < %(now)s"
    )


audit.add("I10", "no order waits for a store's answer half an hour past its time", _unanswered)
audit.add(
    "I10",
    "no order waits to be packed two and a half hours past its promise",
    "SELECT id::text, order_number, store_id::text FROM fulfilment_fulfilment "
    "WHERE status IN ('accepted', 'picking') AND promised_to + interval '150 minutes' < %(now)s",
)
