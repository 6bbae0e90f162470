"""The audit trail: who did what to what, when, from which request. Rows are only added (a trigger sees to it).

`policy.action` writes it in the action's own transaction, so an action and its row are there together or not at all.
A row keeps identifiers, numbers and codes; never free text, a secret or a person's name, so that nobody's data stays
in what cannot be changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from django.db import connection

from . import clock, ids

if TYPE_CHECKING:
    from .policy import Actor

# Couriers' taps and shoppers' own doings have histories of their own.
UNTRAILED = ("courier.work", "shop.own")
# Whose use of an action that is everybody's (cancelling an order) or the platform's (goods received) is written down.
WORKING = ("staff", "partner", "system")
# The only texts that are kept: codes that our own code chose from.
CODES = frozenset({"role", "permission", "scopes", "events", "what", "why"})
MOST = 200
_INSERT = (
    "INSERT INTO kernel_trail (id, at, actor, organisation_id, request, action, permission, subjects, facts) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


def write(actor: Actor, action: str, permission: str, arguments: Mapping[str, Any], result: object = None) -> None:
    """Add a row, in the transaction that is open. One statement."""
    subjects, facts = _subjects(arguments, result), _facts(arguments)
    organisation = arguments.get("organisation_id") or actor.organisation_id
    values = (ids.new_id(), clock.now(), actor.name[:80], organisation, request_id(), action[:80], permission[:40])
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [*values, subjects, json.dumps(facts)])


def request_id() -> str:
    """The request's id, as in its X-Request-Id and in the logs; empty in a job."""
    return str(structlog.contextvars.get_contextvars().get("request", ""))[:40]


def _subjects(arguments: Mapping[str, Any], result: object) -> list[UUID]:
    """What it was done to: the identifiers given, and that of what was made."""
    made = result if isinstance(result, UUID) else getattr(result, "id", None)
    found = [value for value in (*arguments.values(), made) if isinstance(value, UUID)]
    for name, value in arguments.items():
        if name.endswith("_ids") and value:
            found += [one for one in value if isinstance(one, UUID)]
    return list(dict.fromkeys(found))[:MOST]


def _facts(arguments: Mapping[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for name, value in arguments.items():
        if isinstance(value, bool | int):
            facts[name] = value
        elif isinstance(value, UUID):
            facts[name] = str(value)
        elif name in CODES and isinstance(value, str):
            facts[name] = value[:40]
        elif name in CODES and value is not None:
            facts[name] = sorted(str(one)[:40] for one in value)[:40]
        elif name == "limits" and value:
            facts[name] = {str(key)[:40]: most for key, most in value.items()}
    return facts
