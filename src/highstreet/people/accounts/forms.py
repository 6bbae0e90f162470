"""allauth's forms in our words; one-time codes with guesses counted for all processes, pages and API together."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django.contrib.auth.password_validation import MinimumLengthValidator
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

from highstreet.kernel import guesses
from highstreet.kernel.refusal import Refused

from .models import User

NEW_PASSWORD, AGAIN = _("New password"), _("The same once more")
YOUR_EMAIL = _("Your email address")
AT_LEAST = _("Eight characters or more.")


class LongEnough(MinimumLengthValidator):
    """Django's eight characters; what it says of a shorter one has no Chinese (5.2)."""

    def get_error_message(self) -> str:
        return str(AT_LEAST)


class _Named:
    """Labels and hints of ours by field; a label is not repeated in the field, where typing would hide it."""

    LABELS: dict[str, LazyText] = {}
    HINTS: dict[str, LazyText] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():  # type: ignore[attr-defined]
            field.label = self.LABELS.get(name, field.label)
            field.help_text = self.HINTS.get(name, "")
            field.widget.attrs.pop("placeholder", None)


class SignIn(_Named, allauth.LoginForm):
    LABELS = {"login": _("User name"), "password": _("Password"), "remember": _("Stay signed in here")}


class SignUp(_Named, allauth.SignupForm):
    LABELS = {"username": _("User name"), "password1": _("Password"), "password2": AGAIN}
    HINTS = {"username": _("Letters, digits and @ . + - _"), "password1": AT_LEAST}


class ChangePassword(_Named, allauth.ChangePasswordForm):
    LABELS = {"oldpassword": _("Password until now"), "password1": NEW_PASSWORD, "password2": AGAIN}
    HINTS = {"password1": AT_LEAST}


class SetPassword(_Named, allauth.SetPasswordForm):
    LABELS = {"password1": NEW_PASSWORD, "password2": AGAIN}
    HINTS = {"password1": AT_LEAST}


class AskForLink(_Named, allauth.ResetPasswordForm):
    """An address that nobody has takes as long as a known one: a link is made for nobody, and thrown away."""

    LABELS = {"email": YOUR_EMAIL}
    users: list[User]

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        if not self.users:
            nobody = User(username=self.cleaned_data["email"])
            EmailAddress.objects.filter(user_id=nobody.pk, email=nobody.username).exists()
            key = f"{user_pk_to_url_str(nobody)}-{allauth.default_token_generator.make_token(nobody)}"
            get_adapter(request).get_reset_password_from_key_url(key)
        return str(super().save(request, **kwargs))


class AddEmail(_Named, allauth.AddEmailForm):
    LABELS = {"email": YOUR_EMAIL}


class PasswordByLink(_Named, allauth.ResetPasswordKeyForm):
    LABELS = {"password1": NEW_PASSWORD, "password2": AGAIN}
    HINTS = {"password1": AT_LEAST}


class PasswordAgain(_Named, allauth.ReauthenticateForm):
    LABELS = {"password": _("Password")}


class _Digits(_Named):
    """With a keyboard of digits."""

    LABELS = {"code": _("Six digits from the app")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["code"]  # type: ignore[attr-defined]
        field.widget.attrs |= {"inputmode": "numeric", "autocomplete": "one-time-code"}


class FirstCode(_Digits, ActivateTOTPForm):
    """Setting the second factor up."""


class _Counted(_Digits):
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
