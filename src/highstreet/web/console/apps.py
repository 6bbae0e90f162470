from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "highstreet.web.console"
    label = "web_console"
