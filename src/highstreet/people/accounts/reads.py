"""Who a request's user is."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from highstreet.kernel import clock
from highstreet.kernel.policy import NOBODY, Actor

from .models import ApiToken, User
from .ports import badges

CART_COOKIE = "cart"


def actor_of(request: HttpRequest) -> Actor:
    """The actor behind a request: a bearer token first, then the session; else a guest with a cart."""
    language = getattr(request, "LANGUAGE_CODE", "zh-hans")
    cart_key = request.headers.get("X-Cart-Key") or request.COOKIES.get(CART_COOKIE, "")
    header = request.headers.get("Authorization", "")
    if header.startswith("Bearer "):
        user_id = _user_of_token(header[7:])
    else:
        user = getattr(request, "user", None)
        user_id = user.pk if user is not None and user.is_authenticated else None
    if user_id is None:
        return Actor(kind="guest", cart_key=cart_key[:40], language=language)
    return actor_of_user(user_id, cart_key=cart_key[:40], language=language)


def actor_of_user(user_id: UUID, *, cart_key: str = "", language: str = "zh-hans") -> Actor:
    """The actor of a user, with whatever staff, couriers and customers add."""
    fields: dict[str, Any] = {"kind": "customer", "store_ids": frozenset()}
    permissions: set[str] = {"shop.own"}
    for badge in badges:
        added = badge(user_id)
        permissions |= set(added.pop("permissions", ()))
        fields |= added
    return Actor(user_id=user_id, cart_key=cart_key, language=language, permissions=frozenset(permissions), **fields)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _user_of_token(token: str) -> UUID | None:
    live = ApiToken.objects.filter(revoked_at=None, expires_at__gt=clock.now(), user__is_active=True)
    return live.filter(digest=digest(token)).values_list("user_id", flat=True).first()


def user_named(username: str) -> UUID | None:
    return User.objects.filter(username=username).values_list("pk", flat=True).first()


__all__ = ["NOBODY", "actor_of", "actor_of_user", "digest", "user_named"]
