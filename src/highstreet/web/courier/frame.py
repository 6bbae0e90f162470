"""What every page of the courier app stands on: who asks, how a refusal is kept, where to go next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from highstreet.delivery.couriers import reads as couriers
from highstreet.kernel.policy import Actor
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.organisations import reads as organisations


class CourierRequest(HttpRequest):
    """A request after the middleware: who asks, and whether htmx asks."""

    actor: Actor
    htmx: Any


def refusal(do: Callable[[], object]) -> Refused | None:
    """Run one action; its refusal, except "there is nothing here", which is a page of its own."""
    try:
        do()
    except Refused as refused:
        if refused.reason.code == NOT_FOUND.code:
            raise
        return refused
    return None


def home(request: CourierRequest, say: str = "", name: str = "courier:work") -> HttpResponse:
    """Answer a form that worked: look at the next page, which says what was done."""
    if say:
        messages.success(request, say)
    return redirect(name)


def page(request: CourierRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Draw a page in the city's time."""
    me = context.get("me") or couriers.me(request.actor)
    with timezone.override(organisations.city(me.city_id).zone):
        return render(request, f"courier/{template}.html", {"me": me, "store_name": me.name, **context}, status=status)
