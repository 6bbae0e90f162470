from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "highstreet.people.accounts"
    label = "accounts"
