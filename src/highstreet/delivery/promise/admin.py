"""Promises and capacity. Only read: a promise is judged by what happened."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

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
    list_display = ("city", "shops", "starts_at", "capacity", "held", "taken")
    list_filter = ("city",)
    list_select_related = ("city",)
    ordering = ("-starts_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CapacitySlot]:
        return super().get_queryset(request).prefetch_related("zone__places__store")

    @admin.display(description="zone")
    def shops(self, row: CapacitySlot) -> str:
        """The zone by its shops; nothing for a city that is one."""
        return ", ".join(sorted(place.store.code for place in row.zone.places.all())) if row.zone else ""
