"""What must hold of couriers."""

from highstreet.kernel import audit

audit.add(
    "I8",
    "a courier's shifts do not overlap",
    "SELECT a.courier_id::text, a.id::text, b.id::text FROM couriers_shift a JOIN couriers_shift b "
    "ON a.courier_id = b.courier_id AND a.id < b.id "
    "AND a.starts_at < COALESCE(b.ends_at, 'infinity') AND b.starts_at < COALESCE(a.ends_at, 'infinity')",
)
audit.add(
    "I8",
    "nobody's position is kept off shift",
    "SELECT c.id::text FROM couriers_courier c WHERE (c.lat IS NOT NULL OR c.lon IS NOT NULL) AND NOT EXISTS "
    "(SELECT 1 FROM couriers_shift s WHERE s.courier_id = c.id AND s.ends_at IS NULL)",
)
audit.add(
    "I8",
    "nobody on a break has an order to bring",
    "SELECT s.courier_id::text, b.id::text FROM couriers_break b JOIN couriers_shift s ON s.id = b.shift_id "
    "JOIN dispatch_delivery d ON d.courier_id = s.courier_id AND d.status NOT IN "
    "('waiting', 'delivered', 'returned', 'cancelled') WHERE b.ends_at IS NULL",
)
audit.add(
    "I8",
    "no courier has two planned shifts at once",
    "SELECT a.courier_id::text, a.id::text, b.id::text FROM couriers_rostershift a JOIN couriers_rostershift b "
    "ON a.courier_id = b.courier_id AND a.id < b.id AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at "
    "WHERE a.status IN ('taken', 'offered') AND b.status IN ('taken', 'offered')",
)
audit.add(
    "I2",
    "a shift's pay is what its rule says of its minutes and orders",
    "SELECT p.shift_id::text, p.top_up, p.bonus FROM couriers_shiftpay p WHERE p.top_up <> "
    "GREATEST(0, (p.guarantee_hour::bigint * p.minutes + 30) / 60 - p.earned) OR p.bonus NOT IN (0, p.bonus_rate) "
    "OR (p.bonus > 0) <> (p.bonus_rate > 0 AND p.orders + (SELECT COALESCE(SUM(o.orders), 0) "
    "FROM couriers_shiftpay o WHERE o.courier_id = p.courier_id AND o.day = p.day AND o.at < p.at) >= p.bonus_orders "
    "AND NOT EXISTS (SELECT 1 FROM couriers_shiftpay o WHERE o.courier_id = p.courier_id AND o.day = p.day "
    "AND o.at < p.at AND o.bonus > 0))",
)
audit.add(
    "I2",
    "each shift was paid what it says, once, and earned what its orders were paid",
    "SELECT p.shift_id::text, p.top_up + p.bonus, COALESCE(l.paid, 0) FROM couriers_shiftpay p "
    "JOIN couriers_shift s ON s.id = p.shift_id LEFT JOIN "
    "(SELECT j.cause, -SUM(o.amount) AS paid FROM kernel_journal j JOIN kernel_posting o ON o.journal_id = j.id "
    "WHERE o.code = 'courier_payable' AND j.kind = 'courier_shift_pay' GROUP BY j.cause) l ON l.cause = p.shift_id "
    "WHERE p.top_up + p.bonus <> COALESCE(l.paid, 0) OR p.earned <> (SELECT COALESCE(-SUM(o.amount), 0) "
    "FROM kernel_journal j JOIN kernel_posting o ON o.journal_id = j.id WHERE o.owner = p.courier_id "
    "AND o.code = 'courier_payable' AND j.kind = 'courier_pay' AND j.at BETWEEN s.starts_at AND s.ends_at)",
)
audit.add(
    "I2",
    "nothing is paid for a shift that is not written down",
    "SELECT j.key FROM kernel_journal j WHERE j.kind = 'courier_shift_pay' AND NOT EXISTS "
    "(SELECT 1 FROM couriers_shiftpay p WHERE p.shift_id = j.cause)",
)
audit.add(
    "I2",
    "a courier's cash in hand is what was taken at doors less what was handed in, never below 0",
    "SELECT c.id::text, COALESCE(b.has, 0), COALESCE(t.taken, 0), COALESCE(h.given, 0) FROM couriers_courier c "
    "LEFT JOIN (SELECT owner, SUM(amount) AS has FROM kernel_posting WHERE code = 'courier_cash' GROUP BY owner) b "
    "ON b.owner = c.id LEFT JOIN (SELECT d.courier_id, SUM(i.captured) AS taken FROM payments_paymentintent i "
    "JOIN dispatch_delivery d ON d.order_id = i.payable AND d.status = 'delivered' WHERE i.provider = 'at_door' "
    "GROUP BY d.courier_id) t ON t.courier_id = c.id LEFT JOIN (SELECT courier_id, SUM(amount) AS given "
    "FROM couriers_cashhandin GROUP BY courier_id) h ON h.courier_id = c.id "
    "WHERE COALESCE(b.has, 0) <> COALESCE(t.taken, 0) - COALESCE(h.given, 0) OR b.has < 0",
)
audit.add(
    "I2",
    "each hand-in is booked once, out of the courier's hand into the till",
    "SELECT h.id::text, h.amount, b.sum FROM couriers_cashhandin h FULL JOIN (SELECT j.key, SUM(p.amount) FILTER "
    "(WHERE p.code = 'store_cash') AS sum FROM kernel_journal j JOIN kernel_posting p ON p.journal_id = j.id "
    "WHERE j.kind = 'cash_handed_in' GROUP BY j.key) b ON b.key = 'hand_in:' || h.id "
    "WHERE h.amount IS DISTINCT FROM b.sum",
)
