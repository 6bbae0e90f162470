"""Deliveries: a person's door, the proof that it was reached, who brought it."""

from __future__ import annotations

from highstreet.kernel.privacy import Open, Period, Table, impersonal, personal, public, scope

from .refusals import ON_THE_WAY

PROOF_DAYS = 30
DOOR_DAYS = 180
WAIT_HOURS = 1
FACT = "how far and how long is a fact of the work, told by numbers"
_DOOR = {"lat": "round(t.lat::numeric, 2)::float8", "lon": "round(t.lon::numeric, 2)::float8"}
_PROOF = {"proof": "''"}

scope("deliveries", "SELECT id FROM dispatch_delivery WHERE order_id = ANY(%(orders)s)")
scope("things", "SELECT unnest(%(deliveries)s::uuid[])")
public("dlv", "deliveries")

personal(
    Table(
        "dispatch_delivery",
        ("customer", "courier"),
        "delivery",
        "t.id = ANY(%(deliveries)s)",
        also="t.courier_id = ANY(%(courier)s)",
        blank={**_DOOR, **_PROOF},
        keeps=FACT,
        plain=("order_number", "carrier", "status", "proof_kind", "incident"),
        open=(Open("t.ended_at IS NULL", ON_THE_WAY),),
        periods=(
            Period(PROOF_DAYS, "t.ended_at < %(until)s", f"its proof {PROOF_DAYS} days after its end", columns=_PROOF),
            Period(DOOR_DAYS, "t.ended_at < %(until)s", f"its door {DOOR_DAYS} days, then blank", columns=_DOOR),
        ),
    )
)
personal(
    Table(
        "dispatch_dispatchdecision",
        ("customer", "courier"),
        "work",
        "t.delivery_id = ANY(%(deliveries)s)",
        also="t.courier_id = ANY(%(courier)s)",
        keeps=FACT,
        plain=("policy", "alternatives", "basis"),
        periods=(Period(DOOR_DAYS, "t.at < %(until)s", f"{DOOR_DAYS} days"),),
    )
)
personal(
    Table(
        "dispatch_override",
        ("customer", "courier", "employee"),
        "work",
        "t.delivery_id = ANY(%(deliveries)s)",
        also="t.courier_id = ANY(%(courier)s) OR t.was_courier_id = ANY(%(courier)s)",
        keeps=FACT,
        plain=("why", "actor"),
        periods=(Period(DOOR_DAYS, "t.at < %(until)s", f"{DOOR_DAYS} days"),),
    )
)
personal(
    Table(
        "dispatch_waitingplace",
        ("courier",),
        "work",
        "t.courier_id = ANY(%(courier)s)",
        delete=True,
        periods=(Period(WAIT_HOURS / 24, "t.at < %(until)s", "a quarter of an hour; an hour at most"),),
    )
)
impersonal("sums of a day", "dispatch_replay")
