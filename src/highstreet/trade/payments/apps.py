from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "highstreet.trade.payments"
    label = "payments"
