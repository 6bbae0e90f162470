"""The door of a web process: a WSGI application around Django's that lets in what the process can do.

Outside it stands `/livez`, which needs neither a slot nor the database, so it is answered whatever is stuck inside.
A slot is a Django connection that its holder uses, so a process never has more connections than slots.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Protocol

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.template import loader
from django.urls import get_resolver
from django.utils import translation

from highstreet.kernel import metrics, pressure, tracing
from highstreet.kernel.pressure import BROWSING, CARTS, ORDERS, SEARCH, Class, Gate
from highstreet.kernel.refusals import BUSY

from . import draining
from .headers import headers
from .shop.pages.visit import CART_COOKIE, ORDERS_COOKIE

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Any], Iterable[bytes]]
ROUTE = "highstreet.route"
RETRY_SECONDS = 2
CLOSED = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Looking at an order or a checkout costs nothing to ask for: who only looks comes behind who orders, and whoever shows
# neither a cart, an order nor a sign-in is no shopper of ours yet. That a cookie is forged is found out further inside.
_LOOKED_AT = ("/cart", "/checkout", "/o/", "/orders")
_SHOPPERS = frozenset({CART_COOKIE, ORDERS_COOKIE, settings.SESSION_COOKIE_NAME})
# The first that fits. What is not named is browsing when it reads; when it writes, it is work that must be done.
_CLASSES: tuple[tuple[str, Class], ...] = (
    ("/readyz", ORDERS),
    ("/metrics", ORDERS),
    # Whoever was let in sees a whole page: without its styles a form by hand or a pick list is none, and a file asks
    # the database nothing.
    ("/static/", ORDERS),
    ("/search", SEARCH),
    ("/c/", BROWSING),
    ("/p/", BROWSING),
    ("/cart", CARTS),
    ("/place", CARTS),
    ("/checkout", ORDERS),
    ("/o/", ORDERS),
    ("/orders", ORDERS),
    ("/store/", ORDERS),
    ("/courier/", ORDERS),
    ("/console/", CARTS),
    ("/accounts/", CARTS),
    ("/api/v1/carts", CARTS),
    ("/api/v1/quotes", CARTS),
    ("/api/v1/cities", BROWSING),
    ("/api/v1/products", BROWSING),
    ("/api/v1/partners", CARTS),
    ("/api/v1/", ORDERS),
)


def warm() -> None:
    """Load every page before the first caller comes: threads that import the same at once wait for each other."""
    from . import health

    get_resolver().url_patterns  # noqa: B018  (a cached property)
    health.last_migrations()


class Slot(Protocol):
    connection: BaseDatabaseWrapper


class _Connection:
    """A slot's connection, made when it is first used and then passed from thread to thread with the slot."""

    def __init__(self) -> None:
        self.connection = connections.create_connection("default")
        self.connection.inc_thread_sharing()
        self.connection.execute_wrappers.append(metrics.timed)


def class_of(method: str, path: str, query: str = "", cookies: str = "") -> Class:
    """The class of a request, by the written order; `cookies` as the header has them."""
    if path.startswith("/api/v1/stores/"):
        if method not in SAFE:
            return ORDERS
        return SEARCH if "query=" in query or "q=" in query else BROWSING
    if method in SAFE and path.startswith(_LOOKED_AT):
        shown = {one.partition("=")[0].strip() for one in cookies.split(";")}
        return BROWSING if _SHOPPERS.isdisjoint(shown) else CARTS
    for prefix, kind in _CLASSES:
        if path.startswith(prefix):
            return kind
    return BROWSING if method in SAFE else CARTS


class Door:
    """`Door(get_wsgi_application(), slots=8)` is what the server calls."""

    def __init__(self, inside: Wsgi, slots: int) -> None:
        self._inside = inside
        self.gate: Gate[Slot] = Gate([_Connection() for _ in range(slots)])
        pressure.watch(lambda: (self.gate.waiting, slots), lambda name: metrics.SHED.labels(name).inc())

    def __call__(self, environ: Environ, start: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/livez":
            told = {"Content-Type": "application/json", "Cache-Control": "no-store", **headers()}
            start("200 OK", list(told.items()))
            return [b'{"status": "ok"}']
        query, cookies = environ.get("QUERY_STRING", ""), environ.get("HTTP_COOKIE", "")
        kind = class_of(environ["REQUEST_METHOD"], path, query, cookies)
        came = pressure.now()
        slot = self.gate.enter(kind)
        metrics.WAITED.labels(kind.name).observe(pressure.now() - came)
        if slot is None:
            metrics.SHED.labels(kind.name).inc()
            return _busy(environ, start)
        connections["default"] = slot.connection
        try:
            return self._work(environ, start, came)
        finally:
            # Whatever this thread does next must not find a connection that another one has by then.
            del connections["default"]
            self.gate.leave(slot)

    def _work(self, environ: Environ, start: Any, came: float) -> Iterable[bytes]:
        told: list[int] = []

        def started(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            told.append(int(status[:3]))
            # A client that keeps its connection would come back to a process that is about to end.
            return start(status, [*headers, ("Connection", "close")] if draining.now() else headers, *rest)

        with metrics.database_time() as waited, tracing.request(environ) as span:
            response = self._inside(environ, started)
            try:
                # Here, not in the server: the slot is held until the last byte is made.
                body = b"".join(response)
            finally:
                close = getattr(response, "close", None)
                if close is not None:
                    close()
            route, status = environ.get(ROUTE, "-"), told[-1]
            span.update(route=route, status=status)
        method = environ["REQUEST_METHOD"] if environ["REQUEST_METHOD"] in METHODS else "other"
        metrics.REQUESTS.labels(method, route, status).inc()
        metrics.TOOK.labels(route).observe(pressure.now() - came)
        metrics.DATABASE.labels(route).observe(waited[0])
        if status == 429:
            metrics.LIMITED.labels(route).inc()
        return [body]


def _busy(environ: Environ, start: Any) -> list[bytes]:
    """503 in the caller's words, made once for each language: to say no must cost nearly nothing."""
    cookies, accepts = environ.get("HTTP_COOKIE", ""), environ.get("HTTP_ACCEPT_LANGUAGE", "")
    chosen = f"{settings.LANGUAGE_COOKIE_NAME}=en" in cookies
    chosen = chosen or ("lang=" not in cookies and accepts.lower().startswith("en"))
    kind, body = _busy_body("en" if chosen else "zh-hans", environ["PATH_INFO"].startswith("/api/"))
    told = {"Content-Type": kind, "Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store", **headers()}
    start("503 Service Unavailable", list({**told, "Content-Security-Policy": CLOSED}.items()))
    return [body]


@cache
def _busy_body(language: str, api: bool) -> tuple[str, bytes]:
    if api:
        with translation.override(language):
            problem = {"type": BUSY.code, "title": str(BUSY.text), "status": BUSY.status, "facts": {}}
        return "application/problem+json", json.dumps(problem, ensure_ascii=False).encode()
    with translation.override(language):
        page = loader.get_template("503.html").render({})
    return "text/html; charset=utf-8", page.encode()
