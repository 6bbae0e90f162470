"""The kernel's own tables, and those of the job queue."""

from __future__ import annotations

from ..idempotency import KEPT
from ..refusals import STILL_WORKING
from .persons import scope
from .register import WALL, Open, Period, Table, impersonal, personal, place

# A text in which one of a person's identifiers stands.
BETRAYS = "EXISTS (SELECT 1 FROM unnest(%(traces)s::text[]) x WHERE strpos({}, x) > 0)"
IN_PAYLOAD = "EXISTS (SELECT 1 FROM jsonb_each_text(t.payload) f WHERE f.value = ANY(%(traces)s::text[]))"
BOOKS = "books must be kept, accounts are named by a number that leads to nobody any more"

# What the machinery's rows are about: packages add their identifiers.
scope("things", "SELECT unnest(%(customer)s::uuid[])")
scope("events", f"SELECT t.id FROM kernel_outboxevent t WHERE {IN_PAYLOAD}")  # noqa: S608

personal(
    Table(
        "kernel_outboxevent",
        ("customer", "courier"),
        "machinery",
        "t.id = ANY(%(events)s)",
        delete=True,
        periods=(
            Period(
                30,
                "t.at < %(until)s AND NOT EXISTS (SELECT 1 FROM kernel_outboxdelivery d "
                "WHERE d.event_id = t.id AND d.done_at IS NULL)",
                "30 days after it was handled",
            ),
        ),
    )
)
personal(
    Table(
        "kernel_outboxdelivery",
        ("customer", "courier"),
        "machinery",
        "t.event_id = ANY(%(events)s)",
        delete=True,
        plain=("handler",),
        open=(Open("t.done_at IS NULL AND t.failures < 8", STILL_WORKING),),
        periods=(
            Period(
                30,
                "t.done_at IS NOT NULL AND t.event_id IN (SELECT id FROM kernel_outboxevent WHERE at < %(until)s)",
                "30 days",
            ),
        ),
    )
)
personal(
    Table(
        "kernel_idempotencyrecord",
        ("customer", "user", "courier", "employee"),
        "machinery",
        f"{BETRAYS.format('t.subject')} OR {BETRAYS.format('t.body::text')}",
        delete=True,
        periods=(Period(KEPT.days, "t.at < %(until)s", f"{KEPT.days} days: longer than any caller tries again"),),
    )
)
personal(
    Table(
        "kernel_statechange",
        ("customer", "courier", "employee"),
        "order",
        "t.subject = ANY(%(things)s)",
        blank={"note": "''"},
        keeps="that an order went its way is a fact of the store; actors are named by a number",
        plain=("machine", "event", "was", "now", "actor"),
    )
)
personal(
    Table(
        "kernel_journal",
        ("customer", "courier"),
        "books",
        "t.cause = ANY(%(things)s)",
        keeps=BOOKS,
        plain=("key", "kind", "actor"),
    )
)
personal(
    Table(
        "kernel_posting",
        ("customer", "courier"),
        "books",
        "t.owner = ANY(%(things)s) OR t.journal_id IN (SELECT id FROM kernel_journal WHERE cause = ANY(%(things)s))",
        keeps=BOOKS,
        plain=("code", "currency"),
    )
)
personal(
    Table(
        "kernel_hold",
        ("customer",),
        "order",
        't."group" = ANY(%(things)s)',
        keeps="how many units were held is a fact of the store",
        plain=("kind", "state"),
    )
)
_ENDED = "('succeeded', 'failed', 'cancelled', 'aborted')"
impersonal(
    "a job names rows by their numbers, never a person",
    "procrastinate_events",
    periods=(
        Period(
            30,
            f"t.at < %(until)s AND t.job_id IN (SELECT id FROM procrastinate_jobs WHERE status IN {_ENDED})",  # noqa: S608
            "30 days",
            stamp=WALL,
        ),
    ),
)
impersonal(
    "a job names rows by their numbers; a mail waits sealed until it is sent",
    "procrastinate_jobs",
    periods=(
        Period(
            30,
            f"t.status IN {_ENDED} AND NOT EXISTS "  # noqa: S608
            "(SELECT 1 FROM procrastinate_events e WHERE e.job_id = t.id AND e.at >= %(until)s)",
            "30 days after it ended",
            stamp=WALL,
        ),
    ),
)
impersonal("the queue's own", "procrastinate_periodic_defers", "procrastinate_workers")
impersonal("when a process was last heard of", "kernel_heartbeat")
impersonal("Django's own", "django_migrations", "django_content_type")
place(
    "logs (stderr)",
    holds="request numbers, paths of requests that failed; user names and addresses of refused sign-ins",
    until="the operator rotates them; we ask for 30 days",
)
place(
    "memory of the web processes: rate limits",
    holds="who asked how often: user number, key or network address",
    until="the process ends, or 100,000 others came after",
)
place(
    "backups",
    holds="everything above",
    until="the backup's own age; after a restore the erasures since are done again (docs/privacy.md)",
)
personal(
    Table(
        "kernel_guess",
        ("user", "customer"),
        "security",
        BETRAYS.format("t.subject"),
        delete=True,
        periods=(Period(1, "t.since < %(until)s", "a day"),),
    )
)
personal(
    Table(
        "kernel_trail",
        ("employee", "customer", "courier"),
        "security",
        "t.subjects && %(things)s::uuid[]",
        keeps="who did what has to be provable; people are told by numbers",
        plain=("actor", "request", "action", "permission", "facts"),
    )
)
