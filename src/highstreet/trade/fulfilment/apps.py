from django.apps import AppConfig


class FulfilmentConfig(AppConfig):
    name = "highstreet.trade.fulfilment"
    label = "fulfilment"
