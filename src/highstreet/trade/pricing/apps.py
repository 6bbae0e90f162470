from django.apps import AppConfig


class PricingConfig(AppConfig):
    name = "highstreet.trade.pricing"
    label = "pricing"
