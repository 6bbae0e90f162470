from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "highstreet.people.staff"
    label = "staff"

    def ready(self) -> None:
        from highstreet.kernel.policy import limits
        from highstreet.people.accounts.ports import badges

        from .reads import BADGE, Words

        badges.append(BADGE)
        limits.fill(Words())
