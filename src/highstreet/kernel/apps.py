from django.apps import AppConfig


class KernelConfig(AppConfig):
    name = "highstreet.kernel"
    label = "kernel"

    def ready(self) -> None:
        from . import privacy

        privacy.discover()
