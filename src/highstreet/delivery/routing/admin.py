"""Streets. Only read: `highstreet city import` loads them."""

from __future__ import annotations

from django.contrib import admin

from highstreet.kernel.records import ReadAdmin

from .models import Streets


@admin.register(Streets)
class StreetsAdmin(ReadAdmin):
    list_display = ("city", "source", "loaded_at")
    list_select_related = ("city",)
    exclude = ("graph", "layers", "names")
