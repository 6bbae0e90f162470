"""Addresses of the courier app, under /courier/."""

from __future__ import annotations

from django.urls import path

from . import pages, shifts, wishes

urlpatterns = [
    path("", pages.work, name="work"),
    path("shift", pages.shift, name="shift"),
    path("break", pages.pause, name="break"),
    path("last-order", pages.last_order, name="last_order"),
    path("shifts", shifts.shifts, name="shifts"),
    path("shifts/<str:shift>/<str:what>", shifts.change, name="change_shift"),
    path("wishes", wishes.wishes, name="wishes"),
    path("wishes/<str:wish>/remove", wishes.unwish, name="unwish"),
    path("position", pages.position, name="position"),
    path("earnings", pages.earnings, name="earnings"),
    path("stops/<str:delivery>/step/<str:step>", pages.step, name="step"),
    path("stops/<str:delivery>/deliver", pages.deliver, name="deliver"),
    path("stops/<str:delivery>/incident", pages.incident, name="incident"),
]
