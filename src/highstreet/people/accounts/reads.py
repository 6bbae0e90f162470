"""Who a request's user is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.http import HttpRequest

from highstreet.kernel import clock
from highstreet.kernel.policy import NOBODY, Actor

from .models import User
from .ports import badges, bearers

CART_COOKIE = "cart"
# Where a bearer token means anything: on pages it would be a session that no sign-in and no second factor made.
API = "/api/"
OF_USER = "WHERE u.id = %s"
OF_TOKEN = (
    "JOIN accounts_apitoken t ON t.user_id = u.id "
    "WHERE t.digest = %s AND t.revoked_at IS NULL AND t.expires_at > %s AND u.is_active"
)


def actor_of(request: HttpRequest) -> Actor:
    """The actor behind a request: on the API a bearer token first, then the session; else a guest with a cart."""
    language = getattr(request, "LANGUAGE_CODE", "zh-hans")
    cart_key = request.headers.get("X-Cart-Key") or request.COOKIES.get(CART_COOKIE, "")
    header = request.headers.get("Authorization", "")
    user = getattr(request, "user", None)
    known = None
    if header.startswith("Bearer ") and request.path.startswith(API):
        for kind in bearers:
            if header.startswith(kind.prefix, 7):
                return kind.actor_of(header[7:], language=language) or Actor(language=language)
        known = _known(OF_TOKEN, [digest(header[7:]), clock.now()])
    elif user is not None and user.is_authenticated:
        known = _known(OF_USER, [user.pk])
    if known is None:
        return Actor(kind="guest", cart_key=cart_key[:40], language=language)
    return _actor(known, cart_key[:40], language)


def actor_of_user(user_id: UUID, *, cart_key: str = "", language: str = "zh-hans") -> Actor:
    """The actor of an existing user, with whatever staff, couriers and customers add."""
    known = _known(OF_USER, [user_id])
    return _actor(known or [user_id, *[None] * len(badges)], cart_key, language)


def _known(found: str, values: list[Any]) -> Sequence[Any] | None:
    """The user's id and each badge's value, in one query."""
    columns = ", ".join(["u.id", *(badge.sql for badge in badges)])
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM accounts_user u {found}", values)  # noqa: S608 (our own constants)
        row: Sequence[Any] | None = cursor.fetchone()
    return row


def _actor(known: Sequence[Any], cart_key: str, language: str) -> Actor:
    fields: dict[str, Any] = {"kind": "customer", "store_ids": frozenset()}
    permissions: set[str] = {"shop.own"}
    for badge, value in zip(badges, known[1:], strict=True):
        if value is not None:
            added = badge.fields(value)
            permissions |= set(added.pop("permissions", ()))
            fields |= added
    return Actor(user_id=known[0], cart_key=cart_key, language=language, permissions=frozenset(permissions), **fields)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def user_named(username: str) -> UUID | None:
    return User.objects.filter(username=username).values_list("pk", flat=True).first()


__all__ = ["NOBODY", "actor_of", "actor_of_user", "digest", "user_named"]
