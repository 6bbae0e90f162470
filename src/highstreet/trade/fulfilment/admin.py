"""Fulfilments. Only read; the codes that prove a hand-over are not shown."""

from __future__ import annotations

from django.contrib import admin

from highstreet.kernel.records import ReadAdmin

from .models import Fulfilment, FulfilmentLine


@admin.register(Fulfilment)
class FulfilmentAdmin(ReadAdmin):
    list_display = ("order_number", "status", "mode", "store", "ready_by", "promised_to", "created_at")
    search_fields = ("order_number", "phone_tail")
    list_filter = ("status", "mode", "store")
    list_select_related = ("store",)
    ordering = ("-created_at",)
    exclude = ("handover_code",)


@admin.register(FulfilmentLine)
class FulfilmentLineAdmin(ReadAdmin):
    list_display = ("fulfilment", "variant", "quantity", "picked", "short", "substitute", "substitute_state")
    search_fields = ("fulfilment__order_number", "variant__sku")
    list_filter = ("substitute_state",)
    list_select_related = ("fulfilment", "variant", "substitute")
    ordering = ("-id",)
