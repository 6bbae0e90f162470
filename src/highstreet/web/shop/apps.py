from django.apps import AppConfig


class ShopConfig(AppConfig):
    name = "highstreet.web.shop"
    label = "web_shop"
