"""What must hold of deliveries."""

from highstreet.kernel import audit

audit.add(
    "I8",
    "no courier has more packages than the bag holds",
    "SELECT d.courier_id::text, count(*) FROM dispatch_delivery d JOIN couriers_courier c ON c.id = d.courier_id "
    "WHERE d.status NOT IN ('waiting', 'delivered', 'returned', 'cancelled') "
    "GROUP BY d.courier_id, c.capacity HAVING count(*) > c.capacity",
)
audit.add(
    "I8",
    "whoever has packages is on shift",
    "SELECT d.id::text, d.courier_id::text FROM dispatch_delivery d WHERE d.carrier = 'own' AND d.status NOT IN "
    "('waiting', 'delivered', 'returned', 'cancelled') AND NOT EXISTS "
    "(SELECT 1 FROM couriers_shift s WHERE s.courier_id = d.courier_id AND s.ends_at IS NULL)",
)
audit.add(
    "I8",
    "a courier is at one door at a time",
    "SELECT courier_id::text, count(*) FROM dispatch_delivery WHERE status = 'at_door' AND carrier = 'own' "
    "GROUP BY courier_id HAVING count(*) > 1",
)
audit.add(
    "I8",
    "what has left the store is in a courier's bag",
    "SELECT d.id::text, d.status, f.status FROM dispatch_delivery d JOIN fulfilment_fulfilment f "
    "ON f.id = d.fulfilment_id WHERE d.carrier = 'own' AND d.status IN ('waiting', 'assigned', 'accepted', 'at_store') "
    "AND f.status IN ('handed_over', 'in_transit', 'failed', 'returning')",
)
audit.add(
    "I2",
    "each delivery's courier was paid what it says, once",
    "SELECT d.id::text, d.pay, COALESCE(p.paid, 0) FROM dispatch_delivery d LEFT JOIN "
    "(SELECT j.cause, -SUM(o.amount) AS paid FROM kernel_journal j JOIN kernel_posting o ON o.journal_id = j.id "
    "WHERE o.code = 'courier_payable' AND j.kind = 'courier_pay' "
    "GROUP BY j.cause) p ON p.cause = d.id WHERE d.pay <> COALESCE(p.paid, 0)",
)
# Half an hour longer than `rules.ends` says: the sweep may have stood still for a while.
audit.add(
    "I10",
    "nothing packed waits for a courier, nor failed for its way back, for ever",
    "SELECT d.id::text, d.status, d.promised_to FROM dispatch_delivery d LEFT JOIN LATERAL "
    "(SELECT max(at) AS at FROM kernel_statechange WHERE subject = d.id AND machine = 'delivery' "
    "AND event IN ('let_go', 'take_back', 'fail')) h ON true WHERE d.carrier = 'own' AND ("
    "(d.status = 'waiting' AND GREATEST(d.promised_to, d.ready_at, d.created_at, h.at) "
    "+ interval '90 minutes' < %(now)s AND d.ready_at IS NOT NULL) "
    "OR (d.status = 'failed' AND COALESCE(h.at, d.created_at) + interval '150 minutes' < %(now)s))",
)
