from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "highstreet.people.customers"
    label = "customers"

    def ready(self) -> None:
        from highstreet.people.accounts.ports import badges

        from .reads import BADGE, CONSENTS

        badges += [BADGE, CONSENTS]
