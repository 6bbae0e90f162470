"""Orders and quotes. Only read: they change through actions; the key is the guest's secret."""

from __future__ import annotations

from django.contrib import admin

from highstreet.kernel.records import ReadAdmin

from .models import Order, OrderLine, Quote


@admin.register(Order)
class OrderAdmin(ReadAdmin):
    list_display = (
        "number",
        "status",
        "payment_status",
        "mode",
        "store",
        "total",
        "currency",
        "placed_at",
        "promised_to",
    )
    search_fields = ("number", "phone")
    list_filter = ("status", "payment_status", "mode", "store")
    list_select_related = ("store",)
    ordering = ("-placed_at",)
    exclude = ("key",)


@admin.register(OrderLine)
class OrderLineAdmin(ReadAdmin):
    list_display = ("order", "position", "name_en", "quantity", "unit_price", "refunded")
    search_fields = ("order__number",)
    list_select_related = ("order",)
    ordering = ("-id",)


@admin.register(Quote)
class QuoteAdmin(ReadAdmin):
    list_display = ("id", "mode", "store", "total", "created_at", "expires_at", "used_at")
    search_fields = ("=id",)
    list_filter = ("mode", "store")
    list_select_related = ("store",)
    ordering = ("-created_at",)
