"""Couriers, shifts and the rules of a city. A position is not shown here: the board has it while the shift runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from highstreet.kernel import clock
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.kernel.records import KeptAdmin, ReadAdmin
from highstreet.people.accounts.actions import end_sign_ins

from .models import Break, Courier, EarningRule, RosterShift, Shift, ShiftPay, WorkRule


@admin.register(Courier)
class CourierAdmin(KeptAdmin):
    list_display = ("name", "phone", "city", "vehicle", "capacity", "active")
    search_fields = ("name", "phone", "user__username")
    list_filter = ("city", "vehicle", "active")
    list_select_related = ("city",)
    ordering = ("name",)
    exclude = ("lat", "lon", "seen_at")
    autocomplete_fields = ("user", "city")

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Who may work no longer is signed out everywhere."""
        super().save_model(request, obj, form, change)
        assert isinstance(obj, Courier)
        if change and not obj.active and "active" in form.changed_data:
            end_sign_ins(actor=THE_SYSTEM, user_id=obj.user_id)


@admin.register(Shift)
class ShiftAdmin(ReadAdmin):
    list_display = ("courier", "starts_at", "ends_at")
    search_fields = ("courier__name",)
    list_select_related = ("courier",)
    ordering = ("-starts_at",)


@admin.register(Break)
class BreakAdmin(ReadAdmin):
    list_display = ("shift", "starts_at", "ends_at")
    list_select_related = ("shift",)
    ordering = ("-starts_at",)


@admin.register(RosterShift)
class RosterShiftAdmin(ReadAdmin):
    list_display = ("city", "courier", "status", "starts_at", "ends_at")
    list_filter = ("city", "status")
    list_select_related = ("city", "courier")
    ordering = ("-starts_at",)


@admin.register(ShiftPay)
class ShiftPayAdmin(ReadAdmin):
    list_display = ("courier", "day", "minutes", "orders", "earned", "top_up", "bonus")
    list_select_related = ("courier",)
    ordering = ("-at",)


@admin.register(WorkRule)
class WorkRuleAdmin(KeptAdmin):
    list_display = ("city", "shortest", "longest", "most_a_day", "most_a_week", "rest")
    list_select_related = ("city",)


class EarningRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rule begins an hour from now or later: processes remember rules for a minute, and couriers have to know."""

    def clean_starts_at(self) -> datetime:
        at: datetime = self.cleaned_data["starts_at"]
        if at < clock.now() + timedelta(hours=1):
            raise forms.ValidationError(
                _("A rule of pay begins in an hour at the earliest, so that couriers know of it.")
            )
        return at


@admin.register(EarningRule)
class EarningRuleAdmin(KeptAdmin):
    form = EarningRuleForm
    exclude = ("id",)
    list_display = ("city", "starts_at", "per_order", "per_km", "guarantee_hour", "bonus_orders", "bonus")
    list_select_related = ("city",)
    ordering = ("-starts_at",)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
