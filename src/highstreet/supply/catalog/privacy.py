"""Goods."""

from highstreet.kernel.privacy import impersonal

impersonal("goods and prices", "catalog_category", "catalog_product", "catalog_variant", "catalog_listing")
