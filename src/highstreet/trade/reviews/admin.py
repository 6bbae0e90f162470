"""Reviews. Only read."""

from __future__ import annotations

from django.contrib import admin

from highstreet.kernel.records import ReadAdmin

from .models import Review


@admin.register(Review)
class ReviewAdmin(ReadAdmin):
    list_display = ("order_id", "store", "stars", "text", "at")
    list_filter = ("stars", "store")
    list_select_related = ("store",)
    search_fields = ("=order_id", "text")
    ordering = ("-at",)
