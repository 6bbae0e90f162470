from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    name = "highstreet.supply.organisations"
    label = "organisations"
