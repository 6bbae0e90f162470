from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "highstreet.supply.inventory"
    label = "inventory"
