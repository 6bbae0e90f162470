"""allauth's forms for one-time codes, with guesses counted for all processes, pages and API together."""

from __future__ import annotations

from typing import Any

from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from django.core.exceptions import ValidationError

from highstreet.kernel import guesses
from highstreet.kernel.refusal import Refused


class _Counted:
    """A try is taken before the code is looked at, and given back when it was right."""

    user: Any

    def clean_code(self) -> str:
        subject = str(self.user.pk)
        try:
            guesses.take("code", subject)
        except Refused as refused:
            raise ValidationError(refused.words) from None
        code: str = super().clean_code()  # type: ignore[misc]
        guesses.give_back("code", subject)
        return code


class Code(_Counted, AuthenticateForm):  # type: ignore[misc]
    """Signing in."""


class CodeAgain(_Counted, ReauthenticateForm):  # type: ignore[misc]
    """Before the second factor itself is changed."""
