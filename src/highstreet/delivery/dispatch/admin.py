"""Deliveries and the decisions behind them. Only read; proofs are not shown."""

from __future__ import annotations

from django.contrib import admin

from highstreet.kernel.records import ReadAdmin

from .models import Delivery, DispatchDecision


@admin.register(Delivery)
class DeliveryAdmin(ReadAdmin):
    list_display = ("order_number", "status", "carrier", "courier", "store", "promised_to", "eta", "pay", "created_at")
    search_fields = ("order_number", "=order_id", "courier__name")
    list_filter = ("status", "store")
    list_select_related = ("courier", "store")
    ordering = ("-created_at",)
    exclude = ("proof",)


@admin.register(DispatchDecision)
class DispatchDecisionAdmin(ReadAdmin):
    list_display = ("delivery", "courier", "policy", "cost_seconds", "at")
    search_fields = ("delivery__order_number",)
    list_filter = ("policy",)
    list_select_related = ("delivery", "courier")
    ordering = ("-at",)
