from django.apps import AppConfig


class CourierConfig(AppConfig):
    name = "highstreet.web.courier"
    label = "web_courier"
