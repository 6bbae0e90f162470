"""Keys, endpoints and their log. Only read: they change through actions, and secrets are never shown."""

from __future__ import annotations

from django.contrib import admin

from highstreet.kernel.records import ReadAdmin

from .models import ApiKey, Endpoint, Sending


@admin.register(ApiKey)
class ApiKeyAdmin(ReadAdmin):
    list_display = ("name", "prefix", "organisation", "created_at", "expires_at", "revoked_at", "last_used_at")
    search_fields = ("name", "prefix")
    list_select_related = ("organisation",)
    ordering = ("-created_at",)
    exclude = ("digest",)


@admin.register(Endpoint)
class EndpointAdmin(ReadAdmin):
    list_display = ("url", "organisation", "active", "disabled_reason", "failing_since", "created_at", "removed_at")
    search_fields = ("url",)
    list_filter = ("active", "disabled_reason")
    list_select_related = ("organisation",)
    ordering = ("-created_at",)
    exclude = ("secret", "old_secret")


@admin.register(Sending)
class SendingAdmin(ReadAdmin):
    list_display = ("endpoint", "message", "status", "tries", "next_at", "ended_at")
    list_filter = ("status",)
    list_select_related = ("endpoint", "message")
    ordering = ("-created_at",)
