"""The API takes orders from tokens; a browser's cookies alone move nothing there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from highstreet.kernel.api import problem
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import FORGED
from highstreet.people.accounts.reads import CART_COOKIE

API = "/api/"


class ApiCookies(CsrfViewMiddleware):
    """Demands the CSRF token of whoever is known to the API by a cookie only, since another site's page can send
    those. A bearer token, or a cart's key in its header, cannot be sent by another site: nothing is demanded then."""

    def process_request(self, request: HttpRequest) -> None:
        """The cookie was read by the middleware for pages."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        return response

    def process_view(
        self, request: HttpRequest, callback: Callable[..., Any], callback_args: Any, callback_kwargs: Any
    ) -> HttpResponse | None:
        if not request.path_info.startswith(API) or not _by_cookie(request):
            return None
        return super().process_view(request, _view, callback_args, callback_kwargs)  # type: ignore[no-any-return]

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        return problem(Refused(FORGED))


def _by_cookie(request: HttpRequest) -> bool:
    if request.headers.get("Authorization", "").startswith("Bearer "):
        return False
    session = settings.SESSION_COOKIE_NAME in request.COOKIES
    return session or (CART_COOKIE in request.COOKIES and not request.headers.get("X-Cart-Key"))


def _view() -> None:
    """Stands for the API's own views, which say that they are exempt."""
