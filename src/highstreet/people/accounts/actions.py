"""Sign in by the API, sign out, make users."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from highstreet.kernel import clock, ids
from highstreet.kernel.policy import PUBLIC, SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused

from .models import ApiToken, User
from .reads import digest
from .refusals import TOO_MANY_TRIES, WRONG_LOGIN

TOKEN_DAYS = 30


def sign_in_token(*, actor: Actor, request: HttpRequest, username: str, password: str) -> str:
    """A bearer token for a right password. Outside a transaction, so that failed tries are counted."""
    user = authenticate(request, username=username, password=password)
    if user is None:
        locked = getattr(request, "axes_locked_out", False)
        raise Refused(TOO_MANY_TRIES if locked else WRONG_LOGIN)
    return issue_token(actor=actor, user_id=user.pk)


sign_in_token.__policy__ = PUBLIC  # type: ignore[attr-defined]


@action(PUBLIC)
def issue_token(*, actor: Actor, user_id: UUID) -> str:
    """Write a token's digest and return the token, once. Callers have proved who the user is."""
    token = ids.random_token(40)
    ApiToken.objects.create(
        id=ids.new_id(), user_id=user_id, digest=digest(token), expires_at=clock.now() + timedelta(days=TOKEN_DAYS)
    )
    return token


@action(SYSTEM)
def create_user(
    *, actor: Actor, username: str, password: str, language: str = "zh-hans", superuser: bool = False
) -> UUID:
    """Create a user, or find the one of this name (then nothing is changed)."""
    found = User.objects.filter(username=username).first()
    if found is not None:
        return found.pk
    user = User(id=ids.new_id(), username=username, language=language, is_staff=superuser, is_superuser=superuser)
    user.set_password(password)
    user.save()
    return user.pk


@action(SYSTEM)
def create_users(*, actor: Actor, usernames: list[str], password: str) -> dict[str, UUID]:
    """Create users who share a password (a demo, a class); those who exist stay as they are. Name -> id."""
    encoded = make_password(password)
    User.objects.bulk_create(
        [User(id=ids.new_id(), username=username, password=encoded) for username in usernames],
        ignore_conflicts=True,
    )
    return dict(User.objects.filter(username__in=usernames).values_list("username", "pk"))
