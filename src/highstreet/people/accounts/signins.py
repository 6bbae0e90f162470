"""What keeps a person signed in: browsers' sessions (allauth.usersessions knows whose) and apps' tokens."""

from __future__ import annotations

from uuid import UUID

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.http import HttpRequest

from highstreet.kernel import clock

from . import rules
from .models import ApiToken

BROWSER, APP = "s", "t"


def end_all(user_id: UUID) -> None:
    """End every session and token of a user."""
    _end_sessions(user_id)
    ApiToken.objects.filter(user_id=user_id, revoked_at=None).update(revoked_at=clock.now())


def end(user_id: UUID, sign_in: str) -> bool:
    """End one of a user's own. Whether there was one."""
    kind, name = sign_in[:1], sign_in[1:]
    if kind == BROWSER and name.isascii() and name.isdigit() and len(name) < 18:
        return _end_sessions(user_id, only=int(name)) > 0
    try:
        token = UUID(name)
    except ValueError:
        return False
    own = ApiToken.objects.filter(user_id=user_id, pk=token, revoked_at=None)
    return kind == APP and own.update(revoked_at=clock.now()) > 0


def address_of(request: HttpRequest) -> str:
    """The caller's address, behind as many proxies as are ours."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    return rules.address_of(request.META.get("REMOTE_ADDR", ""), forwarded, settings.PROXY_HOPS)


def _end_sessions(user_id: UUID, only: int | None = None) -> int:
    """Delete their rows, which every request asks for."""
    known = UserSession.objects.filter(user_id=user_id)
    if only is not None:
        known = known.filter(pk=only)
    Session.objects.filter(session_key__in=list(known.values_list("session_key", flat=True))).delete()
    return known.delete()[0]
