"""POST /sessions: a bearer token."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from highstreet.kernel.api import Body, refuses
from highstreet.kernel.policy import PUBLIC, actor_of, route

from . import actions

router = Router(tags=["accounts"])


class Login(Body):
    username: str = Field(max_length=150)
    password: str = Field(max_length=1000)
    code: str = Field("", max_length=20, description="of who has a second factor: the app's code, or a recovery code")


class Token(Body):
    token: str


@router.post(
    "/sessions",
    response={201: Token},
    openapi_extra=refuses(
        "code_needed", "too_many_tries", "wrong_code", "wrong_login", repeat="every token is a session of its own"
    ),
)
@route(PUBLIC)
def sign_in(request: HttpRequest, body: Login) -> Status[Token]:
    """Sign in with a name and a password. The token stands for this person until it expires or they sign out."""
    token = actions.sign_in_token(
        actor=actor_of(request),
        request=request,
        username=body.username,
        password=body.password,
        code=body.code,
    )
    return Status(201, Token(token=token))
