"""What partners were told of a person's orders: numbers and times, and a reason that somebody may have typed."""

from __future__ import annotations

from highstreet.kernel.privacy import Period, Table, impersonal, personal, scope

from . import rules

KEPT = rules.KEPT.days
_OLD = "SELECT m.id FROM partners_message m WHERE m.at < %(until)s"

scope("messages", "SELECT id FROM partners_message WHERE entity = ANY(%(orders)s)")

personal(
    Table(
        "partners_message",
        ("customer",),
        "machinery",
        "t.id = ANY(%(messages)s)",
        delete=True,
        plain=("type",),
        periods=(Period(KEPT, "t.at < %(until)s", f"{KEPT} days"),),
    )
)
personal(
    Table(
        "partners_sending",
        ("customer",),
        "machinery",
        "t.message_id = ANY(%(messages)s)",
        delete=True,
        plain=("status",),
        periods=(Period(KEPT, f"t.message_id IN ({_OLD})", "as its message"),),
    )
)
personal(
    Table(
        "partners_attempt",
        ("customer",),
        "machinery",
        "t.sending_id IN (SELECT id FROM partners_sending WHERE message_id = ANY(%(messages)s))",
        delete=True,
        plain=("error",),
        periods=(
            Period(
                KEPT,
                f"t.sending_id IN (SELECT s.id FROM partners_sending s WHERE s.message_id IN ({_OLD}))",  # noqa: S608
                "as its message",
            ),
        ),
    )
)
impersonal("an organisation's keys and addresses; who made a key is told by a number", "partners_apikey")
impersonal("an organisation's keys and addresses; who made a key is told by a number", "partners_endpoint")
