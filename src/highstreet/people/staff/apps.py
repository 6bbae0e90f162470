from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "highstreet.people.staff"
    label = "staff"
