"""The second factor: allauth's TOTP and recovery codes, with their secrets sealed, for pages and API alike."""

from __future__ import annotations

from uuid import UUID

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.utils.translation import gettext_lazy as _

from highstreet.kernel.sealing import seal, unseal

_TYPES = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)


class SecondFactor(DefaultMFAAdapter):
    """allauth's, but what generates the codes is not kept in clear."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("This code is wrong. Type the one that the app shows now"),
    }

    def encrypt(self, text: str) -> str:
        return seal("accounts.second_factor", text)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal("accounts.second_factor", encrypted_text)

    def get_totp_issuer(self) -> str:
        return "Highstreet"


def needed_by(user_id: UUID) -> bool:
    """Whether a password alone does not sign this user in."""
    return Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.TOTP).exists()


def accepts(user_id: UUID, code: str) -> bool:
    """Whether `code` is the app's of this half minute, or an unused recovery code. Either counts once."""
    rows = Authenticator.objects.filter(user_id=user_id, type__in=_TYPES)
    for row in rows.order_by("-type"):
        if row.wrap().validate_code(code):
            row.record_usage()
            return True
    return False
