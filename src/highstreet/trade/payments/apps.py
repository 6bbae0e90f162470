from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "highstreet.trade.payments"
    label = "payments"

    def ready(self) -> None:
        from highstreet.trade.fulfilment import ports as fulfilment

        from . import audit, jobs  # noqa: F401  registers the checks and the jobs
        from .actions.capturing import Till

        fulfilment.counter.fill(Till())
