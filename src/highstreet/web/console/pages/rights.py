"""Who may do what: the catalogue of permissions, each role's limits, and whether a second factor is asked for."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.people.staff import actions
from highstreet.people.staff import reads as staff
from highstreet.people.staff.policy import FEN, PERCENT, ROLES
from highstreet.people.staff.reads import Right
from highstreet.web.ui.rules import fen, yuan

from .. import words
from .frame import StaffRequest, go, page, text_of, tried

MOST_UNITS = 1_000_000


@route("staff.manage")
def listed(request: StaffRequest) -> HttpResponse:
    """The catalogue, with the organisation's limits."""
    return _page(request)


@route("staff.manage")
def limit(request: StaffRequest, role: str, permission: str) -> HttpResponse:
    """Set what a role may at most; empty: no limit."""
    right = next((one for one in staff.rights(request.actor) if one.code == permission), None)
    if right is None or not right.unit or role not in right.most or role == actions.OWNER:
        raise Refused(NOT_FOUND)
    now = right.most[role]
    typed = text_of(request, "most", 12)
    context: dict[str, Any] = {
        "right": right,
        "role": role,
        "role_words": words.of(words.ROLES, role),
        "unit": {FEN: _("Amount, ¥"), PERCENT: _("Per cent")}.get(right.unit, _("Units")),
        "value": typed if request.method == "POST" else _typed(right, now),
        "problems": {},
    }
    if request.method != "POST":
        return page(request, "limit", context, tab="people")
    most = _read(right, typed)
    if typed and most is None:
        problem = _("Type an amount such as 200.00") if right.unit == FEN else _("Type a whole number")
        return page(request, "limit", {**context, "problems": {"most": problem}}, tab="people", status=422)
    done = tried(lambda: actions.set_limit(actor=request.actor, role=role, permission=permission, most=most))
    if done.refused:
        return page(request, "limit", context, tab="people", refused=done.refused)
    return go(request, "permissions", say=_("Saved. It counts from the next tap on"))


@route("staff.manage")
def second_factor(request: StaffRequest) -> HttpResponse:
    """POST asked (1 or 0): whether roles that move money, stock, prices or people need one."""
    if request.method != "POST":
        return go(request, "permissions")
    asked = request.POST.get("asked") == "1"
    done = tried(lambda: actions.ask_second_factor(actor=request.actor, asked=asked))
    if done.refused:
        return _page(request, refused=done.refused)
    said = _("From now on a second factor is needed") if asked else _("A second factor is no longer needed")
    return go(request, "permissions", say=said)


def _page(request: StaffRequest, refused: Refused | None = None) -> HttpResponse:
    context = {
        "roles": [(role, words.of(words.ROLES, role)) for role in ROLES],
        "rows": [(right, list(right.roles.items())) for right in staff.rights(request.actor)],
        "asked": staff.second_factor_asked(request.actor),
    }
    return page(request, "permissions", context, tab="people", refused=refused)


def _typed(right: Right, most: int | None) -> str:
    if most is None:
        return ""
    return yuan(most) if right.unit == FEN else str(most)


def _read(right: Right, text: str) -> int | None:
    if right.unit == FEN:
        return 0 if text in ("0", "0.00") else fen(text)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 7 and int(text) <= MOST_UNITS else None
