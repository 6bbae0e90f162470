"""Fleets and what is with them. Only read: they change through actions, and secrets are never shown."""

from __future__ import annotations

from django.contrib import admin

from highstreet.kernel.records import ReadAdmin

from .models import Fleet, FleetEvent, FleetOrder


@admin.register(Fleet)
class FleetAdmin(ReadAdmin):
    list_display = ("name", "provider", "organisation", "active", "created_at", "removed_at")
    search_fields = ("name",)
    list_filter = ("provider", "active")
    list_select_related = ("organisation",)
    ordering = ("-created_at",)
    exclude = ("secrets",)


@admin.register(FleetOrder)
class FleetOrderAdmin(ReadAdmin):
    list_display = ("order_number", "fleet", "attempt", "status", "told", "code", "heard_at", "next_at", "created_at")
    search_fields = ("order_number", "=number", "=provider_id")
    list_filter = ("status", "fleet")
    list_select_related = ("fleet",)
    ordering = ("-created_at",)


@admin.register(FleetEvent)
class FleetEventAdmin(ReadAdmin):
    list_display = ("fleet", "number", "code", "received_at", "applied_at", "outcome")
    search_fields = ("=number",)
    list_filter = ("fleet",)
    list_select_related = ("fleet",)
    ordering = ("-received_at",)
