"""The kernel's figures for Prometheus: outbox, jobs and holds."""

from __future__ import annotations

from . import heartbeat, metrics, outbox

__all__ = ["heartbeat"]

metrics.figure("outbox_pending", "Deliveries to do", "SELECT count(*) FROM kernel_outboxdelivery WHERE done_at IS NULL")
metrics.figure(
    "outbox_lag_seconds",
    "Age of the oldest delivery to do, in business time",
    "SELECT coalesce(extract(epoch FROM %(now)s - min(e.at)), 0) FROM kernel_outboxdelivery d "  # noqa: S608
    "JOIN kernel_outboxevent e ON e.id = d.event_id WHERE d.done_at IS NULL "
    f"AND d.failures < {outbox.MAX_FAILURES}",
)
metrics.figure(
    "outbox_given_up",
    "Deliveries that failed too often",
    "SELECT count(*) FROM kernel_outboxdelivery WHERE done_at IS NULL "  # noqa: S608
    f"AND failures >= {outbox.MAX_FAILURES}",
)
metrics.figure(
    "jobs", "Jobs by state", "SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY 1", label="state"
)
metrics.figure(
    "job_queue_seconds",
    "How long the oldest job that is due has waited",
    "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - coalesce(j.scheduled_at, e.at))), 0) "
    "FROM procrastinate_jobs j LEFT JOIN LATERAL (SELECT min(at) AS at FROM procrastinate_events "
    "WHERE job_id = j.id AND type = 'deferred') e ON true "
    "WHERE j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= clock_timestamp())",
)
metrics.figure(
    "workers_alive",
    "Workers of which something was heard within 60 s",
    "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > clock_timestamp() - interval '60 seconds'",
)
metrics.figure(
    "holds_live", "Holds that expire", "SELECT kind, count(*) FROM kernel_hold WHERE state = 'held' GROUP BY 1", "kind"
)
metrics.figure(
    "connections",
    "Connections to this database",
    "SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity WHERE datname = current_database() GROUP BY 1",
    label="state",
)
metrics.figure("database_bytes", "Size of the database", "SELECT pg_database_size(current_database())")
