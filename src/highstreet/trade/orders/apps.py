from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "highstreet.trade.orders"
    label = "orders"
