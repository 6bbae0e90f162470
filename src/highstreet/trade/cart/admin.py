"""Carts. Only read; the key is the guest's secret and not shown."""

from __future__ import annotations

from django.contrib import admin

from highstreet.kernel.records import ReadAdmin

from .models import Cart


@admin.register(Cart)
class CartAdmin(ReadAdmin):
    list_display = ("id", "customer", "city", "version", "changed_at")
    search_fields = ("=id",)
    list_filter = ("city",)
    list_select_related = ("customer", "city")
    ordering = ("-changed_at",)
    exclude = ("key",)
