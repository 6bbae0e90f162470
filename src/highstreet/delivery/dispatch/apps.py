from django.apps import AppConfig


class DispatchConfig(AppConfig):
    name = "highstreet.delivery.dispatch"
    label = "dispatch"

    def ready(self) -> None:
        from highstreet.delivery.couriers import ports
        from highstreet.kernel import outbox
        from highstreet.trade.fulfilment import events
        from highstreet.trade.fulfilment import ports as fulfilments
        from highstreet.trade.orders import ports as orders

        from . import audit, handlers  # noqa: F401
        from .hired import Doorstep
        from .history import History
        from .reads import Work
        from .riders import Riders

        ports.work.fill(Work())
        ports.history.fill(History())
        orders.doorstep.fill(Doorstep())
        fulfilments.riders.fill(Riders())
        outbox.on(events.FulfilmentAccepted, handlers.accepted)
        outbox.on(events.FulfilmentReady, handlers.ready)
        outbox.on(events.StartMoved, handlers.start_moved)
        outbox.on(events.FulfilmentHandedOver, handlers.handed_over)
        outbox.on(events.FulfilmentCancelled, handlers.cancelled)
        outbox.on(events.FulfilmentRejected, handlers.rejected)
