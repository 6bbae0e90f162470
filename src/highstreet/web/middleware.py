"""What every request passes: ids for the logs, language, the actor, refusals in the caller's words."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation

from highstreet.kernel import ids, memory
from highstreet.kernel.api import problem
from highstreet.kernel.policy import NOBODY
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID
from highstreet.people.accounts import reads as accounts
from highstreet.supply.organisations import reads as organisations

from .door import ROUTE

GetResponse = Callable[[HttpRequest], HttpResponse]
log = structlog.get_logger(__name__)
BY_ADDRESS = frozenset({"/livez", "/readyz", "/metrics"})


class RequestContext:
    """Binds a request id to the logs and tells it to the caller; logs what went wrong."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = ids.random_token(12)
        structlog.contextvars.bind_contextvars(request=request_id)
        try:
            with memory.page() if request.method == "GET" else nullcontext():
                response = self.get_response(request)
        finally:
            structlog.contextvars.clear_contextvars()
        response["X-Request-Id"] = request_id
        if request.resolver_match is not None:
            request.META[ROUTE] = request.resolver_match.route
        if response.status_code >= 500:
            log.error("request.failed", request=request_id, path=request.path, status=response.status_code)
        return response


class Common(CommonMiddleware):
    """Django's, which refuses names that are not the shop's; probes and Prometheus know a server by its address."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        return None if request.path in BY_ADDRESS else super().process_request(request)


class Language:
    """The cookie's language, else the browser's, else Chinese."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        known = {code for code, _ in settings.LANGUAGES}
        if chosen not in known:
            accepts = request.headers.get("Accept-Language", "")
            chosen = "en" if accepts.lower().startswith("en") else "zh-hans"
        with translation.override(chosen):
            request.LANGUAGE_CODE = chosen
            response = self.get_response(request)
        response.setdefault("Content-Language", chosen)
        return response


class Actors:
    """Sets `request.actor` from the session, or from a bearer token on the API; pages speak the city's time."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = NOBODY  # type: ignore[attr-defined]
        request.actor = accounts.actor_of(request)  # type: ignore[attr-defined]
        if not request.actor.signed_in and request.user.is_authenticated:  # type: ignore[attr-defined]
            # The session has ended since it was read: libraries' pages must not see it either.
            request.session.flush()
            request.user = AnonymousUser()
        cities = organisations.cities()
        if cities:
            timezone.activate(cities[0].zone)
        return self.get_response(request)


class Refusals:
    """Turns a refusal raised by a page into a page with words and a way out."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        """No text of ours holds a NUL, and PostgreSQL takes none: refused here for all queries and forms."""
        api = request.path.startswith("/api/")
        texts = [request.path, *(text for values in request.GET.lists() for text in (values[0], *values[1]))]
        if not api and request.method == "POST":
            texts += [text for values in request.POST.lists() for text in (values[0], *values[1])]
        if not any("\x00" in str(text) for text in texts):
            return None
        refused = Refused(INVALID, field="text", problem="NUL")
        return problem(refused) if api else self.process_exception(request, refused)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, Refused):
            return None
        if error.reason.code == "not_signed_in" and request.method == "GET":
            return redirect(f"{settings.LOGIN_URL}?next={request.get_full_path()}")
        if error.reason.code == "second_factor_needed" and request.method == "GET":
            return redirect(f"{reverse('mfa_activate_totp')}?next={request.get_full_path()}")
        context = {"refusal": error, "status": error.reason.status}
        return render(request, "ui/error.html", context, status=error.reason.status)


def page_context(request: HttpRequest) -> dict[str, Any]:
    """What every template may use."""
    return {"actor": getattr(request, "actor", NOBODY), "stream_url": settings.STREAM_URL, "mails": settings.EMAIL_HOST}
