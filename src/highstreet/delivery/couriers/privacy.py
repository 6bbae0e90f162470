"""Couriers: who they are, when they worked, where they are while they work."""

from __future__ import annotations

from highstreet.kernel.privacy import Open, Period, Table, impersonal, personal, public, scope

from .refusals import STILL_A_COURIER

POSITION_HOURS = 1
NOWHERE = {"lat": "NULL", "lon": "NULL", "seen_at": "NULL"}
PAY = "what was earned and when is kept for pay and labour law, under a number"

scope("courier", "SELECT id FROM couriers_courier WHERE user_id = ANY(%(user)s)")
scope("things", "SELECT unnest(%(courier)s::uuid[])")
public("cou", "courier")

personal(
    Table(
        "couriers_courier",
        ("courier",),
        "work",
        "t.id = ANY(%(courier)s)",
        blank={"name": "''", "phone": "''", **NOWHERE},
        keeps=PAY,
        plain=("vehicle",),
        open=(Open("t.active", STILL_A_COURIER),),
        periods=(
            Period(
                POSITION_HOURS / 24,
                "t.seen_at < %(until)s OR t.lat IS NOT NULL AND NOT EXISTS "
                "(SELECT 1 FROM couriers_shift s WHERE s.courier_id = t.id AND s.ends_at IS NULL)",
                "the last position only, until the shift ends or an hour has passed",
                columns=NOWHERE,
            ),
        ),
    )
)
personal(
    Table(
        "couriers_shift",
        ("courier",),
        "work",
        "t.courier_id = ANY(%(courier)s)",
        keeps=PAY,
        periods=(Period(730, "t.ends_at < %(until)s", "2 years, as hours of work have to be"),),
    )
)
personal(
    Table(
        "couriers_break",
        ("courier",),
        "work",
        "t.shift_id IN (SELECT s.id FROM couriers_shift s WHERE s.courier_id = ANY(%(courier)s))",
        keeps=PAY,
        periods=(Period(730, "t.ends_at < %(until)s", "2 years, as hours of work have to be"),),
    )
)
personal(
    Table(
        "couriers_rostershift",
        ("courier",),
        "work",
        "t.courier_id = ANY(%(courier)s)",
        keeps=PAY,
        plain=("status",),
        periods=(Period(730, "t.ends_at < %(until)s", "2 years, as hours of work have to be"),),
    )
)
personal(
    Table(
        "couriers_wish",
        ("courier",),
        "work",
        "t.courier_id = ANY(%(courier)s)",
        delete=True,
        plain=("kind",),
        periods=(
            Period(
                1,
                "t.day < (%(until)s)::date OR NOT EXISTS "
                "(SELECT 1 FROM couriers_courier c WHERE c.id = t.courier_id AND c.active)",
                "until its date is over, or the courier leaves",
            ),
        ),
    )
)
personal(
    Table(
        "couriers_shiftpay",
        ("courier",),
        "work",
        "t.courier_id = ANY(%(courier)s)",
        keeps=PAY,
    )
)
personal(
    Table(
        "couriers_cashhandin",
        ("courier", "employee"),
        "work",
        "t.courier_id = ANY(%(courier)s)",
        keeps="whose cash was where and when is kept with the books, under a number",
        plain=("key", "currency", "taken_by"),
    )
)
impersonal("a city's rules of work and pay", "couriers_workrule", "couriers_earningrule")
