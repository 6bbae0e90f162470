from django.apps import AppConfig


class KernelConfig(AppConfig):
    name = "highstreet.kernel"
    label = "kernel"
