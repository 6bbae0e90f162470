"""Owners are companies, places are public."""

from highstreet.kernel.privacy import impersonal

impersonal("companies, cities and places that everybody knows", "organisations_organisation")
impersonal("companies, cities and places that everybody knows", "organisations_city", "organisations_place")
