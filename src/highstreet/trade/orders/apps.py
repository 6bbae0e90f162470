from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "highstreet.trade.orders"
    label = "orders"

    def ready(self) -> None:
        from highstreet.kernel import outbox
        from highstreet.people.customers import ports as customers
        from highstreet.trade.fulfilment import events as fulfilment
        from highstreet.trade.payments import ports as payments

        from . import audit, events, handlers, jobs  # noqa: F401  registers the checks and the jobs
        from .actions import OrderPayments
        from .reads import OrderKeys
        from .steps.common import lock

        customers.order_keys.fill(OrderKeys())
        payments.payables.fill(OrderPayments())
        payments.payable_lock.fill(lock)
        outbox.on(fulfilment.FulfilmentRejected, handlers.rejected)
        outbox.on(events.OrderStoreLost, handlers.store_lost)
        outbox.on(fulfilment.LineShort, handlers.short)
        outbox.on(fulfilment.LineSubstituted, handlers.substituted)
        outbox.on(fulfilment.FulfilmentDelivered, handlers.delivered)
        outbox.on(fulfilment.FulfilmentCollected, handlers.collected)
        outbox.on(fulfilment.FulfilmentCancelled, handlers.cancelled)
        outbox.on(fulfilment.FulfilmentReturned, handlers.returned)
