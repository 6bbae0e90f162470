from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "highstreet.people.staff"
    label = "staff"

    def ready(self) -> None:
        from highstreet.people.accounts.ports import badges

        from .reads import BADGE

        badges.append(BADGE)
