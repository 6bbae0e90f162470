"""Couriers and shifts. A position is not shown here: the board has it while the shift runs."""

from __future__ import annotations

from django.contrib import admin

from highstreet.kernel.records import KeptAdmin, ReadAdmin

from .models import Courier, Shift


@admin.register(Courier)
class CourierAdmin(KeptAdmin):
    list_display = ("name", "phone", "city", "vehicle", "capacity", "active")
    search_fields = ("name", "phone", "user__username")
    list_filter = ("city", "vehicle", "active")
    list_select_related = ("city",)
    ordering = ("name",)
    exclude = ("lat", "lon", "seen_at")
    autocomplete_fields = ("user", "city")


@admin.register(Shift)
class ShiftAdmin(ReadAdmin):
    list_display = ("courier", "starts_at", "ends_at")
    search_fields = ("courier__name",)
    list_select_related = ("courier",)
    ordering = ("-starts_at",)
