"""A receiver on this machine that remembers what it was told, and answers as it is told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from highstreet.growth.partners.steps import Place


@dataclass
class Heard:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers` are used up one by one, then 200; `connections` counts everybody who came to the socket at all."""

    server: ThreadingHTTPServer
    heard: list[Heard] = field(default_factory=list)
    answers: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    connections: int = 0
    drip: bool = False

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?shop=1"


def open_at(url: str) -> Place:
    """An address that was looked up and found open."""
    return Place(url, "")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver

    def setup(self) -> None:
        self.receiver.connections += 1
        super().setup()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.receiver.heard.append(Heard(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        status, answer, headers = self.receiver.answers.pop(0) if self.receiver.answers else (200, b"ok", {})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        try:
            if self.receiver.drip:
                for byte in answer:
                    self.wfile.write(bytes([byte]))
                    time.sleep(0.1)
            else:
                self.wfile.write(answer)
        except OSError:
            return

    def log_message(self, format: str, *args: Any) -> None:
        return


@contextmanager
def receiving(tls: Any = None) -> Iterator[Receiver]:
    """Listen on a free port of 127.0.0.1; `tls` is the server's SSLContext."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(server)
    handler.receiver = receiver  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
