"""What must hold of deliveries at fleets: none waits unattended (I10), and each is where its history ends (I9)."""

from __future__ import annotations

from highstreet.kernel.audit import add
from highstreet.kernel.metrics import figure

add(
    "I9",
    "an order at a fleet is where its history ends",
    "SELECT f.id::text, f.status, h.now FROM fleets_fleetorder f LEFT JOIN LATERAL "
    "(SELECT now FROM kernel_statechange WHERE subject = f.id AND machine = 'fleet_order' "
    "ORDER BY at DESC, id DESC LIMIT 1) h ON true WHERE f.status <> COALESCE(h.now, 'asked')",
)
add(
    "I10",
    "no delivery waits for a fleet that does not have it",
    "SELECT d.id::text, d.status FROM dispatch_delivery d WHERE d.carrier = 'fleet' "
    "AND d.status NOT IN ('delivered', 'returned', 'cancelled') AND d.created_at + interval '60 minutes' < %(now)s "
    "AND NOT EXISTS (SELECT 1 FROM fleets_fleetorder f WHERE f.delivery_id = d.id "
    "AND f.status IN ('asked', 'placed', 'stopping', 'dropped'))",
)
add(
    "I10",
    "no call to a fleet that is due waits unattended",
    "SELECT id::text, status, tries FROM fleets_fleetorder WHERE status IN ('asked', 'placed', 'stopping', 'dropped') "
    "AND next_at + interval '60 minutes' < %(now)s",
)
add(
    "I2",
    "each fleet is owed what its orders say, once",
    "SELECT COALESCE(f.id::text, p.key), COALESCE(f.charged, 0), COALESCE(p.owed, 0) FROM "
    "(SELECT id, charged FROM fleets_fleetorder WHERE charged > 0) f FULL JOIN "
    "(SELECT j.key, -SUM(o.amount) AS owed FROM kernel_journal j JOIN kernel_posting o ON o.journal_id = j.id "
    "WHERE o.code = 'fleet_payable' AND j.kind = 'fleet_fee' GROUP BY j.key) p ON p.key = 'fleet:' || f.id || ':fee' "
    "WHERE COALESCE(f.charged, 0) <> COALESCE(p.owed, 0)",
)
figure(
    "fleet_calls_due", "Calls to fleets that are due", "SELECT count(*) FROM fleets_fleetorder WHERE next_at <= %(now)s"
)
