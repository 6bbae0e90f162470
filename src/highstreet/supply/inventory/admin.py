"""Stock. Only read: each level is the sum of its moves, and moves come from actions."""

from __future__ import annotations

from django.contrib import admin

from highstreet.kernel.records import ReadAdmin

from .models import StockLevel, StockLocation, StockMove


@admin.register(StockLocation)
class StockLocationAdmin(ReadAdmin):
    list_display = ("name", "store")
    search_fields = ("store__name_en", "store__code")
    list_select_related = ("store",)
    ordering = ("store__code",)


@admin.register(StockLevel)
class StockLevelAdmin(ReadAdmin):
    list_display = ("variant", "location", "on_hand", "held", "allocated")
    search_fields = ("variant__sku", "variant__barcode")
    list_filter = ("location__store",)
    list_select_related = ("variant", "location__store")
    ordering = ("variant__sku",)


@admin.register(StockMove)
class StockMoveAdmin(ReadAdmin):
    list_display = ("at", "level", "kind", "delta", "after", "reason", "cause", "actor")
    search_fields = ("=cause", "level__variant__sku")
    list_filter = ("kind", "level__location__store")
    list_select_related = ("level__variant",)
    ordering = ("-at",)
