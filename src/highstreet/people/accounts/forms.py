"""allauth's forms for one-time codes, with guesses counted for all processes, pages and API together."""

from __future__ import annotations

from typing import Any

from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from highstreet.kernel import guesses
from highstreet.kernel.refusal import Refused


class _Named:
    """The field in our words, with a keyboard of digits."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["code"]  # type: ignore[attr-defined]
        field.label = _("Six digits from the app")
        field.widget.attrs |= {"placeholder": "", "inputmode": "numeric", "autocomplete": "one-time-code"}


class FirstCode(_Named, ActivateTOTPForm):
    """Setting the second factor up."""


class _Counted(_Named):
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


class Code(_Counted, AuthenticateForm):
    """Signing in."""


class CodeAgain(_Counted, ReauthenticateForm):
    """Before the second factor itself is changed."""
