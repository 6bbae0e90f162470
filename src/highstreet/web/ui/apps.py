from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "highstreet.web.ui"
    label = "web_ui"
