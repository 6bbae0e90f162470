"""With OTEL_EXPORTER_OTLP_ENDPOINT set, one trace goes from the request over its statements into its jobs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support import databases, loops, shop
from tests.support.stack import Stack


@contextmanager
def receiver() -> Iterator[tuple[str, list[Span]]]:
    """An OTLP/HTTP collector: its address and the spans that came."""
    spans: list[Span] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked = ExportTraceServiceRequest.FromString(body)
            for resource in asked.resource_spans:
                for scope in resource.scope_spans:
                    spans.extend(scope.spans)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", spans
    finally:
        server.shutdown()


def test_a_trace_goes_from_the_request_into_its_jobs() -> None:
    caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with receiver() as (address, spans):
        told = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        with Stack(["web", "worker"], environment=told) as stack:
            loops.run(_order(stack, caller))
            trace = bytes.fromhex(caller.split("-")[1])
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                mine = [span for span in list(spans) if span.trace_id == trace]
                # The web server and the worker send theirs when they like.
                if {span.kind for span in mine} >= {
                    Span.SPAN_KIND_SERVER,
                    Span.SPAN_KIND_CLIENT,
                    Span.SPAN_KIND_CONSUMER,
                }:
                    break
                time.sleep(0.2)
            assert stack.eventually("SELECT count(*) FROM kernel_outboxdelivery WHERE done_at IS NULL", 0) == 0
    request = next(span for span in mine if span.kind == Span.SPAN_KIND_SERVER)
    assert request.name == "POST api/v1/orders"
    assert request.parent_span_id == bytes.fromhex(caller.split("-")[2])
    below = [span for span in mine if span.parent_span_id == request.span_id]
    statements = [span for span in below if span.kind == Span.SPAN_KIND_CLIENT]
    assert len(statements) > 5
    assert {span.name for span in below if span.kind == Span.SPAN_KIND_CONSUMER} >= {"kernel.deliver"}
    texts = [attribute.value.string_value for span in statements for attribute in span.attributes]
    assert any("INSERT INTO" in text for text in texts)
    # Parameters are somebody's data and stay here.
    assert not any("13900000007" in text for text in texts)


async def _order(stack: Stack, caller: str) -> None:
    shelf = shop.only_shelf(stack, 10)
    async with shop.client(stack) as http:
        buyer = shop.Buyer(http, 7)
        await buyer.prepare(shelf.variant, store=shelf.store)
        http.headers["traceparent"] = caller
        answer = await buyer.place()
    assert answer.status_code == 201, answer.text


def test_without_a_receiver_nothing_of_it_is_loaded() -> None:
    code = "import highstreet.wsgi, sys; print([name for name in sys.modules if 'telemetry' in name])"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "highstreet.settings"}
    environment.pop("OTEL_EXPORTER_OTLP_ENDPOINT", None)
    said = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=databases.ROOT / "src",
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "[]"
