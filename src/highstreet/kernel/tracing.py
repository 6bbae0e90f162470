"""OpenTelemetry traces, when OTEL_EXPORTER_OTLP_ENDPOINT is set; otherwise nothing is loaded and nothing costs.

A request is a span, each of its statements one below it, and a job the child of the request that deferred it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any

ON = bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))
_NOTHING: AbstractContextManager[Any] = nullcontext()
# What a statement's span says at most; parameters are never told.
MAX_STATEMENT = 500


@cache
def _tracer() -> Any:
    """Made on first use, so after the server's processes were forked: exporters have a thread of their own."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", "highstreet")})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return trace.get_tracer("highstreet")


def statement(query: Any) -> AbstractContextManager[Any]:
    """A span around one statement: its text without parameters."""
    if not ON:
        return _NOTHING
    from opentelemetry.trace import SpanKind, get_current_span

    if not get_current_span().is_recording():
        return _NOTHING
    words = str(query)[:MAX_STATEMENT]
    attributes = {"db.system.name": "postgresql", "db.query.text": words}
    started: AbstractContextManager[Any] = _tracer().start_as_current_span(
        words.split(" ", 1)[0], kind=SpanKind.CLIENT, attributes=attributes
    )
    return started


@contextmanager
def request(environ: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A span around a request, below the caller's if it sent one. Fill in `route` and `status` of what is yielded."""
    told: dict[str, Any] = {}
    if not ON:
        yield told
        return
    from opentelemetry.propagate import extract
    from opentelemetry.trace import SpanKind, Status, StatusCode

    method = str(environ.get("REQUEST_METHOD", ""))
    parent = extract({"traceparent": str(environ.get("HTTP_TRACEPARENT", ""))})
    with _tracer().start_as_current_span(method, context=parent, kind=SpanKind.SERVER) as span:
        yield told
        span.update_name(f"{method} {told.get('route', '')}".strip())
        for name, value in (
            ("http.request.method", method),
            ("http.route", told.get("route", "")),
            ("http.response.status_code", told.get("status", 0)),
        ):
            span.set_attribute(name, value)
        if told.get("status", 0) >= 500:
            span.set_status(Status(StatusCode.ERROR))


def carried() -> str:
    """The current span as a `traceparent` for whoever goes on with the work later; empty when there is none."""
    if not ON:
        return ""
    from opentelemetry.propagate import inject

    carrier: dict[str, str] = {}
    inject(carrier)
    return carrier.get("traceparent", "")


@contextmanager
def job(name: str, parent: str) -> Iterator[None]:
    """A span around a job, below the span whose `carried()` text came with it."""
    if not ON:
        yield
        return
    from opentelemetry.propagate import extract
    from opentelemetry.trace import SpanKind

    context = extract({"traceparent": parent})
    with _tracer().start_as_current_span(name, context=context, kind=SpanKind.CONSUMER):
        yield
