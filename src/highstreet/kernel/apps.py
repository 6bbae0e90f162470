from django.apps import AppConfig


class KernelConfig(AppConfig):
    name = "highstreet.kernel"
    label = "kernel"

    def ready(self) -> None:
        from . import (
            figures,  # noqa: F401  registers what /metrics tells
            privacy,
        )

        privacy.discover()
