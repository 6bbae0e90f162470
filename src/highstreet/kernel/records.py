"""What the packages' admin rooms build on: records that are kept, and records that are only read.

Money, stock, holds and states change through actions alone, so their records cannot be touched here.
"""

from __future__ import annotations

from django.db import models
from django.http import HttpRequest
from unfold.admin import ModelAdmin


class KeptAdmin(ModelAdmin):
    """May be added and changed by hand; never deleted, since histories refer to it."""

    show_full_result_count = False
    list_per_page = 50

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class ReadAdmin(KeptAdmin):
    """May only be looked at."""

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


def columns(model: type[models.Model], *hidden: str) -> list[str]:
    """Every column of a model but the hidden ones (secrets, blobs): what a record's page shows."""
    return [field.name for field in model._meta.concrete_fields if field.name not in hidden]
