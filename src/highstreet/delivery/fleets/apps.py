from django.apps import AppConfig


class FleetsConfig(AppConfig):
    name = "highstreet.delivery.fleets"
    label = "fleets"

    def ready(self) -> None:
        from highstreet.delivery.couriers import ports as couriers
        from highstreet.delivery.dispatch import ports as dispatch
        from highstreet.delivery.dispatch.events import DeliveryCalledOff
        from highstreet.kernel import outbox

        from . import audit, dialects, handlers, jobs, reads  # noqa: F401  registers checks, protocols and jobs
        from .events import NobodyBrings

        dispatch.fleets.fill(reads.Hired())
        couriers.hired.fill(reads.couriers_in)
        outbox.on(DeliveryCalledOff, handlers.called_off)
        outbox.on(NobodyBrings, handlers.nobody_brings)
