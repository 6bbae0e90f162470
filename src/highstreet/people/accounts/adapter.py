"""What allauth asks us: who counts failed passwords, and what a password or a code that is tried too often gets."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's, without its own count of passwords: it locks a name for everybody, so anyone could lock anyone out.

    django-axes counts instead, a name and an address together (settings: AXES_*), for pages and API alike.
    """

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        return None
