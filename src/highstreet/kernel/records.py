"""What the packages' admin rooms build on: records that are kept, and records that are only read.

Money, stock, holds and states change through actions alone, so their records cannot be touched here.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import models
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from . import trail
from .policy import actor_of


class KeptAdmin(ModelAdmin):
    """May be added and changed by hand; never deleted, since histories refer to it. The trail says who did."""

    show_full_result_count = False
    list_per_page = 50

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        _write(request, obj, "add")
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        _write(request, obj, "change")
        return super().log_change(request, obj, message)


def _write(request: HttpRequest, obj: models.Model, what: str) -> None:
    """In the admin's transaction, as an action's row is in its own."""
    row = obj.pk if isinstance(obj.pk, UUID) else None
    owner = getattr(obj, "organisation_id", None)
    facts = {"row_id": row, "organisation_id": owner, "what": obj._meta.label_lower}
    trail.write(actor_of(request), f"admin.{what}", "admin", facts)


class ReadAdmin(KeptAdmin):
    """May only be looked at."""

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


def columns(model: type[models.Model], *hidden: str) -> list[str]:
    """Every column of a model but the hidden ones (secrets, blobs): what a record's page shows."""
    return [field.name for field in model._meta.concrete_fields if field.name not in hidden]
