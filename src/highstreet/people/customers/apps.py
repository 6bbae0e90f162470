from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "highstreet.people.customers"
    label = "customers"
