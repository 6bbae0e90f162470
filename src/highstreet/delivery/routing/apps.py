from django.apps import AppConfig


class RoutingConfig(AppConfig):
    name = "highstreet.delivery.routing"
    label = "routing"
