"""What must be true of orders and their money (I5, I9, I11), and that none waits for ever."""

from __future__ import annotations

from highstreet.kernel.audit import add

add(
    "I5",
    "an order's total is its lines and its fee",
    "SELECT o.number, o.total, o.goods_total, o.delivery_fee, COALESCE(SUM(l.quantity * l.unit_price), 0) "
    "FROM orders_order o LEFT JOIN orders_orderline l ON l.order_id = o.id GROUP BY o.id "
    "HAVING o.goods_total <> COALESCE(SUM(l.quantity * l.unit_price), 0) "
    "OR o.total <> o.goods_total + o.delivery_fee",
)
add(
    "I5",
    "an order is what was quoted",
    "SELECT o.number, o.total, q.total FROM orders_order o JOIN orders_quote q ON q.id = o.quote_id "
    "WHERE o.total <> q.total OR o.currency <> q.currency OR q.used_at IS NULL",
)
add(
    "I5",
    "what an order gives back is the sum of its refunds",
    "SELECT o.number, o.refunded, o.compensated, COALESCE(SUM(r.amount), 0) FROM orders_order o "
    "LEFT JOIN payments_paymentintent i ON i.payable = o.id LEFT JOIN payments_refund r ON r.intent_id = i.id "
    "GROUP BY o.id HAVING o.refunded + o.compensated <> COALESCE(SUM(r.amount), 0)",
)
add(
    "I5",
    "an ended order keeps none of the customer's money unbooked",
    "SELECT o.number, o.status, SUM(p.amount) FROM orders_order o JOIN kernel_journal j ON j.cause = o.id "
    "JOIN kernel_posting p ON p.journal_id = j.id "
    "WHERE p.code = 'customer_funds' AND o.status IN ('completed', 'cancelled', 'expired') "
    "GROUP BY o.id HAVING SUM(p.amount) <> 0",
)
add(
    "I9",
    "an order is where its history ends",
    "SELECT o.number, o.status, h.now FROM orders_order o LEFT JOIN LATERAL "
    "(SELECT now FROM kernel_statechange WHERE subject = o.id AND machine = 'order' "
    "ORDER BY at DESC, id DESC LIMIT 1) h ON true WHERE o.status <> COALESCE(h.now, 'pending')",
)
add(
    "I9",
    "an order's status is what its fulfilment says",
    "SELECT o.number, o.status, f.status FROM orders_order o LEFT JOIN LATERAL "
    "(SELECT status FROM fulfilment_fulfilment WHERE order_id = o.id "
    "ORDER BY created_at DESC, id DESC LIMIT 1) f ON true WHERE "
    "(o.status = 'completed' AND f.status IS DISTINCT FROM 'delivered') "
    "OR (o.status = 'confirmed' AND f.status IS NULL) OR (o.status = 'pending' AND f.status IS NOT NULL) "
    "OR (o.status IN ('cancelled', 'expired') "
    "AND f.status NOT IN ('cancelled', 'rejected', 'returned'))",
)
add(
    "I9",
    "no order waits for a payment past its expiry + 60 s",
    "SELECT number, expires_at FROM orders_order WHERE status = 'pending' "
    "AND expires_at + interval '60 seconds' < %(now)s",
)
add(
    "I11",
    "what an order has been paid is what its payments captured, in its currency",
    "SELECT o.number, o.captured, o.currency, COALESCE(SUM(i.captured), 0) FROM orders_order o "
    "LEFT JOIN payments_paymentintent i ON i.payable = o.id AND i.currency = o.currency "
    "GROUP BY o.id HAVING o.captured <> COALESCE(SUM(i.captured), 0)",
)
add(
    "I11",
    "a paid order has accepted payments of what it costs",
    "SELECT o.number, o.payment_status, o.total - o.reduced, o.captured, r.back FROM orders_order o "
    "LEFT JOIN LATERAL (SELECT COALESCE(SUM(r.amount), 0) AS back FROM payments_refund r "
    "JOIN payments_paymentintent i ON i.id = r.intent_id WHERE i.payable = o.id AND r.status = 'succeeded') r "
    "ON true WHERE (o.payment_status = 'paid' AND o.captured - r.back <> o.total - o.reduced) "
    "OR (o.payment_status = 'overpaid' AND o.captured <= o.total - o.reduced) "
    "OR (o.payment_status = 'refunded' AND r.back <> o.captured) "
    "OR ((o.payment_status = 'unpaid') <> (o.captured = 0))",
)
add(
    "I11",
    "what is prepaid is not packed unpaid",
    "SELECT number, status, payment_status FROM orders_order WHERE payment_method NOT IN ('at_pickup', 'at_door') "
    "AND status IN ('confirmed', 'completed') AND payment_status IN ('unpaid', 'partially_paid')",
)
add(
    "I11",
    "what is paid on handing over was paid when it was handed over, and nothing of it before",
    "SELECT number, status, total - reduced, captured FROM orders_order "
    "WHERE payment_method IN ('at_pickup', 'at_door') "
    "AND (status = 'completed' AND captured < total - reduced OR status IN ('cancelled', 'expired') AND captured > 0)",
)
