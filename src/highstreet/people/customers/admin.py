"""Customers and their addresses. Only read: phone and address come from the shopper."""

from __future__ import annotations

from django.contrib import admin

from highstreet.kernel.records import ReadAdmin

from .models import Address, Customer


@admin.register(Customer)
class CustomerAdmin(ReadAdmin):
    list_display = ("phone", "name", "user", "language", "created_at")
    search_fields = ("phone", "name")
    list_filter = ("language",)
    list_select_related = ("user",)
    ordering = ("-created_at",)


@admin.register(Address)
class AddressAdmin(ReadAdmin):
    list_display = ("text", "unit", "customer", "used_at")
    search_fields = ("text", "customer__phone")
    list_select_related = ("customer",)
    ordering = ("-used_at",)
