from django.apps import AppConfig


class CouriersConfig(AppConfig):
    name = "highstreet.delivery.couriers"
    label = "couriers"
