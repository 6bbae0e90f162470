from django.apps import AppConfig


class RoutingConfig(AppConfig):
    name = "highstreet.delivery.routing"
    label = "routing"

    def ready(self) -> None:
        from highstreet.trade.orders import ports

        from .reads import Geo

        ports.geo.fill(Geo())
