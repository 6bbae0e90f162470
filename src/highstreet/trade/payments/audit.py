"""What must be true of money with providers (I6)."""

from __future__ import annotations

from highstreet.kernel import audit

audit.add(
    "I6",
    "captured is at most what was asked, refunded at most what was captured",
    "SELECT id::text, amount, captured, refunded FROM payments_paymentintent "
    "WHERE captured > amount OR refunded > captured OR (status = 'captured') <> (captured > 0)",
)
audit.add(
    "I6",
    "what a payment gives back is the sum of its refunds",
    "SELECT i.id::text, i.refunded, COALESCE(SUM(r.amount), 0) FROM payments_paymentintent i "
    "LEFT JOIN payments_refund r ON r.intent_id = i.id GROUP BY i.id "
    "HAVING i.refunded <> COALESCE(SUM(r.amount), 0)",
)
_BOOKED = """
SELECT t.id::text, t.due, b.sum FROM ({due}) t
LEFT JOIN (SELECT j.key, SUM(p.amount) FILTER (WHERE p.amount > 0) AS sum FROM kernel_journal j
           JOIN kernel_posting p ON p.journal_id = j.id WHERE j.kind = '{kind}' GROUP BY j.key) b
ON b.key = t.key WHERE t.due <> COALESCE(b.sum, 0)
"""
audit.add(
    "I6",
    "each capture is booked once, to the fen",
    _BOOKED.format(
        kind="payment_captured",
        due="SELECT id, captured AS due, 'capture:' || id AS key FROM payments_paymentintent",
    ),
)
audit.add(
    "I6",
    "each settled refund is booked once, to the fen",
    _BOOKED.format(
        kind="refund_settled",
        due="SELECT id, CASE WHEN status = 'succeeded' THEN amount ELSE 0 END AS due, "
        "'refund:' || id AS key FROM payments_refund",
    ),
)
_STRAY = """
SELECT j.key FROM kernel_journal j LEFT JOIN {table} t ON j.key = '{prefix}:' || t.id AND t.status = '{status}'
WHERE j.kind = '{kind}' AND t.id IS NULL
"""
audit.add(
    "I6",
    "nothing is booked as captured but a captured payment",
    _STRAY.format(table="payments_paymentintent", prefix="capture", status="captured", kind="payment_captured"),
)
audit.add(
    "I6",
    "nothing is booked as settled but a settled refund",
    _STRAY.format(table="payments_refund", prefix="refund", status="succeeded", kind="refund_settled"),
)
audit.add(
    "I9",
    "a payment is where its history ends",
    "SELECT i.id::text, i.status, h.now FROM payments_paymentintent i LEFT JOIN LATERAL "
    "(SELECT now FROM kernel_statechange WHERE subject = i.id AND machine = 'payment' "
    "ORDER BY at DESC, id DESC LIMIT 1) h ON true WHERE i.status <> COALESCE(h.now, 'created')",
)
