from django.apps import AppConfig


class FulfilmentConfig(AppConfig):
    name = "highstreet.trade.fulfilment"
    label = "fulfilment"

    def ready(self) -> None:
        from . import audit, jobs  # noqa: F401  registers the checks and the sweep
