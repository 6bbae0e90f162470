"""Employees. The console hires and dismisses; here the first owner of an organisation is made."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from highstreet.kernel.policy import THE_SYSTEM
from highstreet.kernel.records import KeptAdmin
from highstreet.people.accounts.actions import end_sign_ins

from .models import Employee


@admin.register(Employee)
class EmployeeAdmin(KeptAdmin):
    list_display = ("name", "user", "role", "organisation", "store", "city", "active")
    search_fields = ("name", "user__username")
    list_filter = ("role", "active", "organisation")
    list_select_related = ("user", "organisation", "store", "city")
    ordering = ("name",)
    autocomplete_fields = ("user", "organisation", "store", "city")

    def save_model(self, request: HttpRequest, obj: models.Model, form: forms.Form, change: bool) -> None:
        """Whoever's job changes is signed out everywhere, as by the console."""
        super().save_model(request, obj, form, change)
        assert isinstance(obj, Employee)
        if change and form.changed_data != ["name"]:
            end_sign_ins(actor=THE_SYSTEM, user_id=obj.user_id)
