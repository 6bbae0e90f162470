from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "highstreet.supply.catalog"
    label = "catalog"
