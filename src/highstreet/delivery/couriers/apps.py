from django.apps import AppConfig


class CouriersConfig(AppConfig):
    name = "highstreet.delivery.couriers"
    label = "couriers"

    def ready(self) -> None:
        from highstreet.people.accounts.ports import badges

        from . import audit  # noqa: F401
        from .reads import BADGE

        if BADGE not in badges:
            badges.append(BADGE)
