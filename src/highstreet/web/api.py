"""The JSON API under /api/v1: each feature's router, one way of answering refusals, no 5xx for bad input."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from highstreet.kernel.api import problem
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import BUSY, INVALID, NOT_FOUND, TOO_LARGE
from highstreet.web import stream_api
from highstreet.web.document import ABOUT, TAGS, Document, operation_id
from highstreet.web.edges import Json, Written
from highstreet.web.reference import Reference


class Api(NinjaAPI):
    """ninja's API with a document that says all of it, made once: nothing in it changes while the process runs."""

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> OpenAPISchema:
        prefix = self.get_root_path(path_params or {}) if path_prefix is None else path_prefix
        if prefix not in _documents:
            _documents[prefix] = Document(self, prefix)
        return _documents[prefix]

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation_id(operation.tags or [], operation.view_func.__name__)


_documents: dict[str, Document] = {}
api = Api(
    title="Highstreet",
    version="1.0.0",
    description=ABOUT,
    docs_url="/docs",
    docs=Reference(),
    servers=[{"url": "/", "description": "where this document came from"}],
    urls_namespace="api",
    parser=Json(),
    renderer=Written(),
    openapi_extra={"info": {"license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}}, "tags": TAGS},
)


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


@api.exception_handler(OperationalError)
def busy(request: HttpRequest, error: Exception) -> HttpResponse:
    """A statement that took too long (settings.QUERY_MS) or waited too long for a lock, or no database: come again."""
    return problem(Refused(BUSY))


@api.exception_handler(Http404)
def missing(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(Refused(NOT_FOUND))


api.add_router("", stream_api.router)
for _feature in settings.FEATURES:
    # The kernel's api.py is what the others share; it has no routes.
    if _feature != "kernel" and find_spec(f"highstreet.{_feature}") and find_spec(f"highstreet.{_feature}.api"):
        api.add_router("", import_module(f"highstreet.{_feature}.api").router)
