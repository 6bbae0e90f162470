"""The catalogue's records. Prices are only read here: the console sets them by an action."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from highstreet.kernel.records import KeptAdmin, ReadAdmin

from . import rules
from .models import Category, Listing, Product, Variant


class VariantForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Variant
        fields = ("product", "sku", "barcode", "unit_zh", "unit_en", "measure", "temperature", "aisle")

    def clean_barcode(self) -> str:
        code: str = self.cleaned_data["barcode"]
        if not rules.is_barcode(code):
            raise forms.ValidationError("EAN-8 / EAN-13")
        return code


@admin.register(Category)
class CategoryAdmin(KeptAdmin):
    list_display = ("name_en", "name_zh", "code", "group_en", "position")
    list_filter = ("group_en",)
    search_fields = ("name_en", "name_zh", "code")
    ordering = ("position", "code")


@admin.register(Product)
class ProductAdmin(KeptAdmin):
    list_display = ("name_en", "name_zh", "category", "active")
    list_filter = ("active", "category")
    list_select_related = ("category",)
    search_fields = ("name_en", "name_zh", "search_text")
    ordering = ("name_en",)
    readonly_fields = ("search_text",)
    autocomplete_fields = ("organisation", "category")

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        """Search finds the new words at once."""
        assert isinstance(obj, Product)
        obj.search_text = rules.search_text(
            obj.name_zh, obj.name_en, obj.keywords, obj.category.name_zh, obj.category.name_en
        )
        super().save_model(request, obj, form, change)


@admin.register(Variant)
class VariantAdmin(KeptAdmin):
    form = VariantForm
    list_display = ("sku", "product", "barcode", "unit_en", "temperature", "aisle")
    list_filter = ("temperature",)
    list_select_related = ("product",)
    search_fields = ("sku", "barcode", "product__name_en", "product__name_zh")
    ordering = ("sku",)
    autocomplete_fields = ("product",)


@admin.register(Listing)
class ListingAdmin(ReadAdmin):
    list_display = ("variant", "store", "price", "was", "visible")
    list_filter = ("store", "visible")
    list_select_related = ("variant", "store")
    search_fields = ("variant__sku", "variant__product__name_en", "variant__product__name_zh")
    ordering = ("variant__sku",)
