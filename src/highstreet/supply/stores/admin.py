"""Stores: names, hours, reach. Pausing is the store's own button."""

from __future__ import annotations

from django.contrib import admin

from highstreet.kernel.records import KeptAdmin

from .models import Store


@admin.register(Store)
class StoreAdmin(KeptAdmin):
    list_display = ("name_en", "name_zh", "code", "kind", "city", "organisation", "active")
    search_fields = ("name_en", "name_zh", "code")
    list_filter = ("kind", "city", "organisation", "active")
    list_select_related = ("city", "organisation")
    ordering = ("code",)
    readonly_fields = ("paused_until",)
    autocomplete_fields = ("organisation", "city")
