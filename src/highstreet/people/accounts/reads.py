"""Who a request's user is, and where a person is signed in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpRequest

from highstreet.kernel import clock
from highstreet.kernel.policy import NOBODY, Actor

from .models import ApiToken, User
from .ports import badges, bearers
from .second_factor import needed_by as has_second_factor
from .signins import APP, BROWSER

CART_COOKIE = "cart"
# Where a bearer token means anything: on pages it would be a session that no sign-in and no second factor made.
API = "/api/"
# Half of the SHA-256 of the encoded password: whatever was made with another one no longer counts.
STAMP = "left(encode(sha256(convert_to(u.password, 'UTF8')), 'hex'), 16)"
OF_USER = "WHERE u.id = %s"
OF_SESSION = (
    "JOIN django_session d ON d.session_key = %s AND d.expire_date > now() "
    "LEFT JOIN usersessions_usersession b ON b.session_key = d.session_key WHERE u.id = %s AND u.is_active"
)
OF_TOKEN = (
    "JOIN accounts_apitoken t ON t.user_id = u.id "
    f"WHERE t.digest = %s AND t.revoked_at IS NULL AND t.expires_at > %s AND u.is_active AND t.stamp = {STAMP}"
)
# Which of many sign-ins (`Actor.sign_in`) still count, for the event streams. %(names)s: text[].
STILL_SIGNED_IN = (
    f"SELECT '{BROWSER}' || b.id || ':' || {STAMP} FROM usersessions_usersession b "  # noqa: S608 (our constants)
    "JOIN django_session d ON d.session_key = b.session_key AND d.expire_date > now() "
    "JOIN accounts_user u ON u.id = b.user_id AND u.is_active WHERE b.id = ANY(%(browsers)s) UNION ALL "
    f"SELECT '{APP}' || t.id || ':' || {STAMP} FROM accounts_apitoken t "
    f"JOIN accounts_user u ON u.id = t.user_id AND u.is_active WHERE t.id = ANY(%(apps)s) AND t.stamp = {STAMP} "
    "AND t.revoked_at IS NULL"
)


@dataclass(frozen=True)
class SignIn:
    """A browser or an app that a person is signed in with; `id` is what ends it."""

    id: str
    app: bool
    agent: str
    address: str
    at: datetime | None
    this: bool


def actor_of(request: HttpRequest) -> Actor:
    """The actor behind a request: on the API a bearer token first, then the session; else a guest with a cart.

    One query. It asks for the session's row too: one that ended a moment ago counts no more.
    """
    language = getattr(request, "LANGUAGE_CODE", "zh-hans")
    cart_key = request.headers.get("X-Cart-Key") or request.COOKIES.get(CART_COOKIE, "")
    header = request.headers.get("Authorization", "")
    user = getattr(request, "user", None)
    known = None
    if header.startswith("Bearer ") and request.path.startswith(API):
        for kind in bearers:
            if header.startswith(kind.prefix, 7):
                return kind.actor_of(header[7:], language=language) or Actor(language=language)
        name = f"'{APP}' || t.id || ':' || {STAMP}"
        known = _known(OF_TOKEN, [digest(header[7:]), clock.now()], name)
    elif user is not None and user.is_authenticated:
        name = f"'{BROWSER}' || b.id || ':' || {STAMP}"
        known = _known(OF_SESSION, [request.session.session_key, user.pk], name)
    if known is None:
        return Actor(kind="guest", cart_key=cart_key[:40], language=language)
    return _actor(known, cart_key[:40], language)


def actor_of_user(user_id: UUID, *, cart_key: str = "", language: str = "zh-hans") -> Actor:
    """The actor of an existing user, with whatever staff, couriers and customers add."""
    known = _known(OF_USER, [user_id])
    return _actor(known or [user_id, "", *[None] * len(badges)], cart_key, language)


def sign_ins(actor: Actor) -> list[SignIn]:
    """Where the actor is signed in, the latest first."""
    if actor.user_id is None:
        return []
    this = actor.sign_in.partition(":")[0]
    browsers = UserSession.objects.filter(user_id=actor.user_id)
    live = Session.objects.filter(expire_date__gt=datetime.fromtimestamp(clock.wall(), tz=UTC))
    keys = set(live.filter(session_key__in=browsers.values("session_key")).values_list("session_key", flat=True))
    found = [
        SignIn(f"{BROWSER}{row.pk}", False, row.user_agent, row.ip, row.created_at, this == f"{BROWSER}{row.pk}")
        for row in browsers
        if row.session_key in keys
    ]
    tokens = ApiToken.objects.filter(user_id=actor.user_id, revoked_at=None, expires_at__gt=clock.now())
    stamp = stamp_of(User.objects.values_list("password", flat=True).get(pk=actor.user_id))
    found += [
        SignIn(f"{APP}{row.pk}", True, row.agent, row.address, row.created_at, this == f"{APP}{row.pk}")
        for row in tokens.filter(stamp=stamp)
    ]
    return sorted(found, key=lambda one: (one.this, one.at.timestamp() if one.at else 0.0), reverse=True)


def split(names: list[str]) -> dict[str, list[Any]]:
    """The parameters of STILL_SIGNED_IN for these sign-ins (`Actor.sign_in`)."""
    ids = [(name[:1], name[1:].partition(":")[0]) for name in names]
    return {
        "browsers": [int(one) for kind, one in ids if kind == BROWSER],
        "apps": [UUID(one) for kind, one in ids if kind == APP],
    }


def _known(found: str, values: list[Any], name: str = "''") -> Sequence[Any] | None:
    """The user's id, the sign-in's name and each badge's value, in one query."""
    columns = ", ".join(["u.id", name, *(badge.sql for badge in badges)])
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM accounts_user u {found}", values)  # noqa: S608 (our own constants)
        row: Sequence[Any] | None = cursor.fetchone()
    return row


def _actor(known: Sequence[Any], cart_key: str, language: str) -> Actor:
    fields: dict[str, Any] = {"kind": "customer", "store_ids": frozenset()}
    permissions: set[str] = {"shop.own"}
    for badge, value in zip(badges, known[2:], strict=True):
        if value is not None:
            added = badge.fields(value)
            permissions |= set(added.pop("permissions", ()))
            fields |= added
    fields |= {"permissions": frozenset(permissions), "sign_in": known[1] or ""}
    return Actor(user_id=known[0], cart_key=cart_key, language=language, **fields)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def stamp_of(password: str) -> str:
    """STAMP of an encoded password."""
    return hashlib.sha256(password.encode()).hexdigest()[:16]


def user_named(username: str) -> UUID | None:
    return User.objects.filter(username=username).values_list("pk", flat=True).first()


__all__ = ["NOBODY", "actor_of", "actor_of_user", "digest", "has_second_factor", "sign_ins", "stamp_of", "user_named"]
