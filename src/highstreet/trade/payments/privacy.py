"""Payments of a person's orders, and what the provider told us about them."""

from __future__ import annotations

from highstreet.kernel.privacy import Open, Period, Table, personal, public, scope

from .refusals import MONEY_ON_ITS_WAY

PAYER_DAYS = 180
# Why money went back, by our own codes; what a person typed is not kept.
CODES = (
    *("customer", "support", "store", "late", "damaged", "missing", "quality", "wrong_item", "substitute", "short"),
    *("out_of_stock", "no_store", "no_courier", "expired", "paid_twice", "returned", "not_collected", "nothing_left"),
    *("late_payment", "cancelled", "not_packed"),
)
BOOKS = "the provider's statement is compared with it; it names an order, not a person"
# Of what a provider tells, what the books need; who paid is not among it.
_FACTS = (
    "jsonb_strip_nulls(jsonb_build_object('out_trade_no', t.resource->'out_trade_no', "
    "'transaction_id', t.resource->'transaction_id', 'out_refund_no', t.resource->'out_refund_no', "
    "'refund_id', t.resource->'refund_id', 'trade_state', t.resource->'trade_state', "
    "'refund_status', t.resource->'refund_status', 'amount', t.resource->'amount'))"
)


def own_reason(column: str) -> str:
    """SQL: the code that stands in a column, or that it was the customer's wish."""
    known = ", ".join(f"'{code}'" for code in ("", *CODES))
    return f"CASE WHEN {column} IN ({known}) THEN {column} ELSE 'customer' END"


scope("intents", "SELECT id FROM payments_paymentintent WHERE payable = ANY(%(orders)s)")
scope("refunds", "SELECT id FROM payments_refund WHERE intent_id = ANY(%(intents)s)")
scope("things", "SELECT unnest(%(intents)s::uuid[])")
scope("things", "SELECT unnest(%(refunds)s::uuid[])")
scope("trade_numbers", "SELECT out_trade_no FROM payments_paymentintent WHERE id = ANY(%(intents)s)")
scope("trade_numbers", "SELECT out_refund_no FROM payments_refund WHERE id = ANY(%(refunds)s)")
scope(
    "notifications",
    "SELECT event_id FROM payments_transactionevent "
    "WHERE resource->>'out_trade_no' = ANY(%(trade_numbers)s) OR resource->>'out_refund_no' = ANY(%(trade_numbers)s)",
)
public("int", "intents")
public("rfd", "refunds")

personal(
    Table(
        "payments_paymentintent",
        ("customer",),
        "payment",
        "t.id = ANY(%(intents)s)",
        blank={"openid": "''", "code_url": "''"},
        keeps=BOOKS,
        plain=("provider", "status", "out_trade_no", "currency", "provider_id", "description"),
        open=(Open("t.status = 'created'", MONEY_ON_ITS_WAY),),
        periods=(
            Period(
                PAYER_DAYS,
                "t.created_at < %(until)s AND t.status <> 'created'",
                f"the payer's name at the provider {PAYER_DAYS} days, then blank",
                columns={"openid": "''", "code_url": "''"},
            ),
        ),
    )
)
personal(
    Table(
        "payments_transactionevent",
        ("customer",),
        "payment",
        "t.event_id = ANY(%(notifications)s)",
        blank={"resource": _FACTS},
        keeps=BOOKS,
        plain=("provider", "event_id", "event_type", "outcome"),
        open=(Open("t.applied_at IS NULL", MONEY_ON_ITS_WAY),),
        periods=(
            Period(
                PAYER_DAYS,
                "t.applied_at < %(until)s",
                f"whole for {PAYER_DAYS} days, then numbers and amounts only",
                columns={"resource": _FACTS},
            ),
        ),
    )
)
personal(
    Table(
        "payments_refund",
        ("customer",),
        "payment",
        "t.id = ANY(%(refunds)s)",
        blank={"reason": own_reason("t.reason")},
        keeps=BOOKS,
        plain=("key", "out_refund_no", "status", "provider_id"),
        open=(Open("t.status IN ('requested', 'sent')", MONEY_ON_ITS_WAY),),
    )
)
personal(
    Table(
        "payments_alert",
        ("customer",),
        "payment",
        "t.subject = ANY(%(trade_numbers)s) OR t.subject = ANY(%(notifications)s)",
        blank={"facts": "'{}'::jsonb"},
        keeps=BOOKS,
        plain=("kind", "subject"),
        periods=(
            Period(
                PAYER_DAYS,
                "t.closed_at < %(until)s",
                f"{PAYER_DAYS} days after someone looked, then blank",
                columns={"facts": "'{}'::jsonb"},
            ),
        ),
    )
)
