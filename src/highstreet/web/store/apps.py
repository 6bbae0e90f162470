from django.apps import AppConfig


class StoreConfig(AppConfig):
    name = "highstreet.web.store"
    label = "web_store"
