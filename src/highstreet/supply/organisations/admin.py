"""Organisations, their terms, cities and places."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin

from highstreet.kernel.records import KeptAdmin

from .models import City, Organisation, Place
from .rules import Terms


class OrganisationForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Organisation
        fields = ("code", "kind", "name_zh", "name_en", "parent", "policy")

    def clean_policy(self) -> dict[str, Any]:
        """Only the terms that `rules.Terms` knows, in whole numbers."""
        policy: dict[str, Any] = self.cleaned_data["policy"] or {}
        try:
            Terms.of(policy)
        except (TypeError, ValueError, AttributeError) as wrong:
            raise forms.ValidationError(str(wrong)) from wrong
        return policy


@admin.register(Organisation)
class OrganisationAdmin(KeptAdmin):
    form = OrganisationForm
    list_display = ("name_en", "name_zh", "code", "kind")
    list_filter = ("kind",)
    search_fields = ("name_en", "name_zh", "code")
    ordering = ("code",)
    autocomplete_fields = ("parent",)


@admin.register(City)
class CityAdmin(KeptAdmin):
    list_display = ("name_en", "name_zh", "code", "retailer", "time_zone", "currency")
    list_select_related = ("retailer",)
    search_fields = ("name_en", "name_zh", "code")
    ordering = ("code",)
    autocomplete_fields = ("retailer",)


@admin.register(Place)
class PlaceAdmin(KeptAdmin):
    list_display = ("name_en", "name_zh", "kind", "city", "weight")
    list_filter = ("kind", "city")
    list_select_related = ("city",)
    search_fields = ("name_en", "name_zh")
    ordering = ("name_en",)
