"""Promises and capacity. Only read: a promise is judged by what happened."""

from __future__ import annotations

from django.contrib import admin

from highstreet.kernel.records import ReadAdmin

from .models import CapacitySlot, Promise


@admin.register(Promise)
class PromiseAdmin(ReadAdmin):
    list_display = ("order_id", "mode", "store", "promised_to", "outcome", "late_seconds", "compensation", "made_at")
    search_fields = ("=order_id",)
    list_filter = ("outcome", "mode", "store")
    list_select_related = ("store",)
    ordering = ("-made_at",)


@admin.register(CapacitySlot)
class CapacitySlotAdmin(ReadAdmin):
    list_display = ("city", "starts_at", "capacity", "held", "taken")
    list_filter = ("city",)
    list_select_related = ("city",)
    ordering = ("-starts_at",)
