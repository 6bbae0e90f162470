"""Records of the kernel: ledger, holds, events. Only read: they are written with their effects."""

from __future__ import annotations

from django.contrib import admin

from .models import Hold, IdempotencyRecord, Journal, OutboxDelivery, OutboxEvent, Posting, StateChange, Trail
from .records import ReadAdmin


@admin.register(Journal)
class JournalAdmin(ReadAdmin):
    list_display = ("kind", "key", "cause", "at", "actor")
    search_fields = ("key", "=cause")
    list_filter = ("kind",)
    ordering = ("-at",)


@admin.register(Posting)
class PostingAdmin(ReadAdmin):
    list_display = ("journal", "owner", "code", "currency", "amount")
    search_fields = ("journal__key", "=journal__cause")
    list_filter = ("currency", "code")
    list_select_related = ("journal",)
    ordering = ("-id",)


@admin.register(Hold)
class HoldAdmin(ReadAdmin):
    list_display = ("kind", "resource", "quantity", "consumed", "state", "at", "expires_at")
    search_fields = ("=group", "=resource")
    list_filter = ("kind", "state")
    ordering = ("-at",)


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadAdmin):
    list_display = ("id", "name", "at")
    search_fields = ("name",)
    list_filter = ("name",)
    ordering = ("-id",)


@admin.register(OutboxDelivery)
class OutboxDeliveryAdmin(ReadAdmin):
    list_display = ("id", "event", "handler", "done_at", "failures")
    search_fields = ("handler",)
    list_filter = ("handler",)
    list_select_related = ("event",)
    ordering = ("-id",)


@admin.register(StateChange)
class StateChangeAdmin(ReadAdmin):
    list_display = ("machine", "subject", "was", "now", "actor", "at")
    search_fields = ("=subject",)
    list_filter = ("machine", "now")
    ordering = ("-at",)


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(ReadAdmin):
    list_display = ("endpoint", "key", "status", "at")
    search_fields = ("key",)
    list_filter = ("status",)
    ordering = ("-at",)
    exclude = ("body",)


@admin.register(Trail)
class TrailAdmin(ReadAdmin):
    list_display = ("at", "actor", "action", "organisation_id", "request")
    search_fields = ("actor", "action", "=request")
    list_filter = ("permission",)
    ordering = ("-at",)
