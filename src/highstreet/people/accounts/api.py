"""POST /sessions: a bearer token."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router, Status

from highstreet.kernel.api import Body, Problem
from highstreet.kernel.policy import PUBLIC, actor_of, route

from . import actions

router = Router(tags=["accounts"])


class Login(Body):
    username: str
    password: str


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
    )
    return Status(201, Token(token=token))
