from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "highstreet.ops"
    label = "ops"
