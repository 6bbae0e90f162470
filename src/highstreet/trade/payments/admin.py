"""Payments, refunds, the inbox, alerts. Only read: money moves through actions."""

from __future__ import annotations

from django.contrib import admin

from highstreet.kernel.records import ReadAdmin

from .models import Alert, PaymentIntent, Refund, TransactionEvent


@admin.register(PaymentIntent)
class PaymentIntentAdmin(ReadAdmin):
    list_display = ("out_trade_no", "provider", "status", "amount", "captured", "refunded", "currency", "created_at")
    search_fields = ("out_trade_no", "provider_id", "=payable")
    list_filter = ("provider", "status")
    ordering = ("-created_at",)
    exclude = ("openid",)


@admin.register(Refund)
class RefundAdmin(ReadAdmin):
    list_display = ("out_refund_no", "intent", "amount", "reason", "status", "tries", "created_at", "done_at")
    search_fields = ("out_refund_no", "key")
    list_filter = ("status", "reason")
    list_select_related = ("intent",)
    ordering = ("-created_at",)


@admin.register(TransactionEvent)
class TransactionEventAdmin(ReadAdmin):
    list_display = ("event_id", "provider", "event_type", "received_at", "applied_at", "outcome")
    search_fields = ("event_id",)
    list_filter = ("provider", "event_type", "outcome")
    ordering = ("-received_at",)


@admin.register(Alert)
class AlertAdmin(ReadAdmin):
    list_display = ("kind", "organisation", "subject", "at", "closed_at")
    search_fields = ("subject",)
    list_filter = ("kind",)
    list_select_related = ("organisation",)
    ordering = ("-at",)
