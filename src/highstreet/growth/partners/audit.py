"""What must be true of webhooks: none waits unattended (I10)."""

from __future__ import annotations

from highstreet.kernel.audit import add
from highstreet.kernel.metrics import figure

add(
    "I10",
    "no webhook that is due waits unattended",
    "SELECT s.id::text, s.tries, s.next_at FROM partners_sending s JOIN partners_endpoint e ON e.id = s.endpoint_id "
    "WHERE s.status = 'waiting' AND e.active AND s.next_at + interval '60 minutes' < %(now)s AND NOT EXISTS "
    "(SELECT 1 FROM partners_sending p WHERE p.endpoint_id = s.endpoint_id AND p.status = 'waiting' "
    "AND p.entity = s.entity AND p.event < s.event)",
)
figure("webhooks_waiting", "Webhooks to send", "SELECT count(*) FROM partners_sending WHERE status = 'waiting'")
figure(
    "webhooks_lag_seconds",
    "How long the oldest webhook that is due has waited, in business time",
    "SELECT coalesce(extract(epoch FROM %(now)s - min(next_at)), 0) FROM partners_sending "
    "WHERE status = 'waiting' AND next_at <= %(now)s",
)
