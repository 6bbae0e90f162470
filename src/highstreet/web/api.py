"""The JSON API under /api/v1: each feature's router, one way of answering refusals, no 5xx for bad input."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema

from highstreet.kernel.api import problem
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID, NOT_FOUND, TOO_LARGE
from highstreet.web import stream_api
from highstreet.web.rules import limit_for


class Api(NinjaAPI):
    """Documents what every operation may answer besides its own refusals: 429, where it is limited."""

    def get_openapi_schema(self, **known: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**known)
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        header = {"schema": {"type": "string"}}
        often = {"description": "Too Many Requests", "headers": {"Retry-After": header}, "content": content}
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                if limit_for(method.upper(), path) is not None:
                    operation["responses"].setdefault(429, often)
        return schema


api = Api(title="Highstreet", version="1.0.0", docs_url=None, urls_namespace="api")


@api.exception_handler(Refused)
def refused(request: HttpRequest, error: Refused) -> HttpResponse:
    return problem(error)


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0] if error.errors else {}
    field = ".".join(str(part) for part in first.get("loc", ())[1:]) or "body"
    return problem(Refused(INVALID, field=field, problem=str(first.get("msg", ""))))


@api.exception_handler(HttpError)
def unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem(Refused(INVALID, field="body", problem=str(error)))


@api.exception_handler(BadRequest)
@api.exception_handler(UnicodeError)
def bad_request(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(Refused(INVALID, field="body", problem="encoding"))


@api.exception_handler(RequestDataTooBig)
def too_big(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(Refused(TOO_LARGE))


@api.exception_handler(Http404)
def missing(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(Refused(NOT_FOUND))


api.add_router("", stream_api.router)
for _feature in settings.FEATURES:
    # The kernel's api.py is what the others share; it has no routes.
    if _feature != "kernel" and find_spec(f"highstreet.{_feature}") and find_spec(f"highstreet.{_feature}.api"):
        api.add_router("", import_module(f"highstreet.{_feature}.api").router)
