"""Employees."""

from __future__ import annotations

from highstreet.kernel.privacy import Open, Table, impersonal, personal, scope

from .refusals import WORKS_HERE

scope("employee", "SELECT id FROM staff_employee WHERE user_id = ANY(%(user)s)")

personal(
    Table(
        "staff_employee",
        ("employee",),
        "work",
        "t.id = ANY(%(employee)s)",
        blank={"name": "''"},
        keeps="who picked an order is a fact of the store, told by a number",
        plain=("role",),
        open=(Open("t.active", WORKS_HERE),),
    )
)
impersonal("what roles may do in an organisation", "staff_rolelimit", "staff_safeguard")
