from django.apps import AppConfig


class DispatchConfig(AppConfig):
    name = "highstreet.delivery.dispatch"
    label = "dispatch"
