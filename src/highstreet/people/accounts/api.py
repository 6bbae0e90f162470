"""POST /sessions: a bearer token."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from highstreet.kernel.api import Body, Problem
from highstreet.kernel.policy import PUBLIC, actor_of, route

from . import actions

router = Router(tags=["accounts"])


class Login(Body):
    username: str
    password: str
    code: str = Field("", max_length=20, description="of who has a second factor: the app's code, or a recovery code")


class Token(Body):
    token: str


@router.post("/sessions", response={201: Token, 401: Problem, 429: Problem})
@route(PUBLIC)
def sign_in(request: HttpRequest, body: Login) -> Status[Token]:
    token = actions.sign_in_token(
        actor=actor_of(request),
        request=request,
        username=body.username,
        password=body.password,
        code=body.code,
    )
    return Status(201, Token(token=token))
