"""What must hold of promises."""

from highstreet.kernel import audit

audit.add(
    "I4",
    "no quarter of an hour is promised beyond its couriers",
    "SELECT id::text, capacity, held, taken FROM promise_capacityslot WHERE held + taken > capacity",
)
audit.add(
    "I5",
    "a judged promise says what its times say",
    "SELECT id::text, outcome, late_seconds FROM promise_promise WHERE "
    "(outcome = 'kept' AND (fulfilled_at IS NULL OR fulfilled_at > promised_to)) OR "
    "(outcome = 'broken' AND fulfilled_at <= promised_to)",
)
