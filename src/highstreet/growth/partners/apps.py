from django.apps import AppConfig


class PartnersConfig(AppConfig):
    name = "highstreet.growth.partners"
    label = "partners"

    def ready(self) -> None:
        from highstreet.kernel import outbox
        from highstreet.people.accounts.ports import bearers

        from . import audit, handlers, jobs, payloads  # noqa: F401  registers the checks and the jobs
        from .reads import KeyBearer

        bearers.append(KeyBearer())
        for kind in payloads.KINDS:
            outbox.on(kind.event, handlers.publish)
