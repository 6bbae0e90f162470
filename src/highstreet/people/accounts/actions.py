"""Sign in by the API, sign out, make users."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from highstreet.kernel import clock, guesses, ids
from highstreet.kernel.policy import PUBLIC, SYSTEM, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND, TOO_MANY_TRIES

from . import signins
from .models import ApiToken, User
from .reads import digest, stamp_of
from .refusals import CODE_NEEDED, WRONG_CODE, WRONG_LOGIN
from .second_factor import accepts, needed_by

TOKEN_DAYS = 30


def sign_in_token(*, actor: Actor, request: HttpRequest, username: str, password: str, code: str = "") -> str:
    """A bearer token for a right password and, of who has a second factor, a right code.

    Outside a transaction, so that failed tries are counted. Refuses WRONG_LOGIN, CODE_NEEDED, WRONG_CODE and
    TOO_MANY_TRIES.
    """
    user = authenticate(request, username=username, password=password)
    if user is None:
        locked = getattr(request, "axes_locked_out", False)
        raise Refused(TOO_MANY_TRIES if locked else WRONG_LOGIN)
    if needed_by(user.pk):
        if not code:
            raise Refused(CODE_NEEDED)
        with guesses.guarded("code", str(user.pk), WRONG_CODE):
            if not accepts(user.pk, code):
                raise Refused(WRONG_CODE)
    agent = request.headers.get("User-Agent", "")
    return issue_token(actor=actor, user_id=user.pk, address=signins.address_of(request), agent=agent)


sign_in_token.__policy__ = PUBLIC  # type: ignore[attr-defined]


@action(PUBLIC)
def issue_token(*, actor: Actor, user_id: UUID, address: str = "", agent: str = "") -> str:
    """Write a token's digest and return the token, once. Callers have proved who the user is."""
    token, at = ids.random_token(40), clock.now()
    ApiToken.objects.create(
        id=ids.new_id(),
        user_id=user_id,
        digest=digest(token),
        stamp=stamp_of(User.objects.values_list("password", flat=True).get(pk=user_id)),
        created_at=at,
        address=address[:45],
        agent=agent[:200],
        expires_at=at + timedelta(days=TOKEN_DAYS),
    )
    return token


@action("shop.own")
def end_sign_in(*, actor: Actor, sign_in: str) -> None:
    """Sign one of the actor's own browsers or apps out (`reads.SignIn.id`). Refuses NOT_FOUND."""
    assert actor.user_id is not None
    if not signins.end(actor.user_id, sign_in):
        raise Refused(NOT_FOUND)


@action("shop.own")
def sign_out_everywhere(*, actor: Actor) -> None:
    """End all of the actor's own sessions and tokens, this one too."""
    assert actor.user_id is not None
    signins.end_all(actor.user_id)


@action(SYSTEM)
def end_sign_ins(*, actor: Actor, user_id: UUID) -> None:
    """A user's sessions and tokens end at once: the role behind them is gone."""
    signins.end_all(user_id)


@action(SYSTEM, trailed=True)
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


@action(SYSTEM, trailed=True)
def create_users(*, actor: Actor, usernames: list[str], password: str) -> dict[str, UUID]:
    """Create users who share a password (a demo, a class); those who exist stay as they are. Name -> id."""
    encoded = make_password(password)
    User.objects.bulk_create(
        [User(id=ids.new_id(), username=username, password=encoded) for username in usernames],
        ignore_conflicts=True,
    )
    return dict(User.objects.filter(username__in=usernames).values_list("username", "pk"))
