from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "highstreet.supply.inventory"
    label = "inventory"

    def ready(self) -> None:
        from . import actions, audit  # noqa: F401  registers the scarce thing and the checks
