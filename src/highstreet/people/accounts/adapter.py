"""What allauth asks us: who counts failed passwords, what is said to whoever tries too often, how mails are sent."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as current
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from highstreet.kernel import guesses
from highstreet.kernel.refusal import Refused

from . import jobs
from .rules import is_valid_ip
from .signins import address_of


class Accounts(DefaultAccountAdapter):
    """allauth's, without its own count of passwords: it locks a name for everybody, so anyone could lock anyone out.

    django-axes counts instead, a name and an address together (settings: AXES_*), for pages and API alike.
    """

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _("User name or password is wrong"),
        "enter_current_password": _("That is not the password until now"),
        "incorrect_password": _("The password is wrong"),
        "username_taken": _("This name is taken. Choose another"),
        "account_inactive": _("This account is closed"),
        "email_taken": _("This address belongs to another account"),
        "invalid_password_reset": _("This link no longer works. Ask for a new one"),
    }

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        return None

    def get_client_ip(self, request: HttpRequest) -> str:
        """The same address as everywhere; one that is none (a socket of this machine) is written as 0.0.0.0."""
        address = address_of(request)
        return address if is_valid_ip(address) else "0.0.0.0"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Written in the language of the request, sent by a worker."""
        request = current.request
        about = {"request": request, "email": email, "current_site": get_current_site(request)} | context
        jobs.post(self.render_mail(template_prefix, email, about))

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """A name that is taken has to be called so; who tries one after the other is stopped after ten."""
        address = self.get_client_ip(self.request)
        try:
            guesses.take("name", address)
        except Refused as refused:
            raise ValidationError(refused.words) from None
        name: str = super().clean_username(username, shallow)
        guesses.give_back("name", address)
        return name
