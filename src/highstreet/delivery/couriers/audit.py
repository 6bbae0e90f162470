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
