from django.apps import AppConfig


class PromiseConfig(AppConfig):
    name = "highstreet.delivery.promise"
    label = "promise"

    def ready(self) -> None:
        from highstreet.delivery.couriers.events import ShiftEnded, ShiftStarted
        from highstreet.kernel import outbox
        from highstreet.trade.fulfilment import events as fulfilment
        from highstreet.trade.orders import events as orders
        from highstreet.trade.orders import ports

        from . import audit, handlers  # noqa: F401
        from .actions import Promises

        ports.promises.fill(Promises())
        outbox.on(fulfilment.FulfilmentReady, handlers.ready)
        outbox.on(fulfilment.StartMoved, handlers.start_moved)
        outbox.on(fulfilment.FulfilmentDelivered, handlers.delivered)
        outbox.on(fulfilment.FulfilmentDelivered, handlers.ride_over)
        outbox.on(fulfilment.FulfilmentCollected, handlers.collected)
        outbox.on(fulfilment.FulfilmentFailed, handlers.failed)
        outbox.on(fulfilment.FulfilmentReturned, handlers.returned)
        outbox.on(fulfilment.FulfilmentReturned, handlers.ride_over)
        outbox.on(orders.OrderCancelled, handlers.cancelled)
        outbox.on(orders.OrderExpired, handlers.expired)
        outbox.on(orders.OrderRerouted, handlers.rerouted)
        outbox.on(ShiftStarted, handlers.shift_started)
        outbox.on(ShiftEnded, handlers.shift_ended)
