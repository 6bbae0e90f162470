"""Employees. The console hires and dismisses; here the first owner of an organisation is made."""

from __future__ import annotations

from django.contrib import admin

from highstreet.kernel.records import KeptAdmin

from .models import Employee


@admin.register(Employee)
class EmployeeAdmin(KeptAdmin):
    list_display = ("name", "user", "role", "organisation", "store", "active")
    search_fields = ("name", "user__username")
    list_filter = ("role", "active", "organisation")
    list_select_related = ("user", "organisation", "store")
    ordering = ("name",)
    autocomplete_fields = ("user", "organisation", "store")
