from django.apps import AppConfig


class CartConfig(AppConfig):
    name = "highstreet.trade.cart"
    label = "cart"
