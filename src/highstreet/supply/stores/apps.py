from django.apps import AppConfig


class StoresConfig(AppConfig):
    name = "highstreet.supply.stores"
    label = "stores"
