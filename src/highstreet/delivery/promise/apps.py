from django.apps import AppConfig


class PromiseConfig(AppConfig):
    name = "highstreet.delivery.promise"
    label = "promise"
