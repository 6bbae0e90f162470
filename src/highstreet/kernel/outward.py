"""Requests to addresses that others chose (webhooks): they reach the open internet and never our own network.

A name is resolved once; each of its addresses must be routable by everybody; the connection goes to one of exactly
these, with the name kept for TLS and `Host`. No redirect is followed and no proxy of the environment is used.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpcore
from django.conf import settings

PORTS = frozenset({443, 8443})
CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
LOOKUP_SECONDS = 5.0
MAX_ANSWER = 64 * 1024
MAX_URL = 500
_HOST = re.compile(r"[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\]")
# What Python counts as global and yet leads into a private network: translators to IPv4, relays, site-local, a cloud.
_DOORS = [
    ipaddress.ip_network(text)
    for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", "192.88.99.0/24", "fec0::/10")
] + [ipaddress.ip_network("168.63.129.16/32")]


class Barred(Exception):
    """We do not go there: `code` is url, scheme, port, unknown_host or address."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Unreachable(Exception):
    """We went and got no answer: `code` is timeout, connection, tls or protocol."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Target:
    """An address taken apart; `path` begins with a slash and carries the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def name(self) -> str:
        return self.host.strip("[]")

    @property
    def host_header(self) -> str:
        plain = self.port == (443 if self.scheme == "https" else 80)
        return self.host if plain else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Answer:
    """`body` is the answer's beginning, at most `MAX_ANSWER` bytes."""

    status: int
    body: bytes


def target(url: str, *, dev: bool, longest: int = MAX_URL) -> Target:
    """Take a URL apart; Barred for whatever two parsers might read differently."""
    if len(url) > longest or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise Barred("url")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Barred("url") from None
    host = parts.netloc.lower().rpartition(":")[0] if port is not None else parts.netloc.lower()
    if parts.scheme not in (("https", "http") if dev else ("https",)):
        raise Barred("scheme")
    if parts.fragment or "@" in parts.netloc or not _HOST.fullmatch(host):
        raise Barred("url")
    port = port if port is not None else (443 if parts.scheme == "https" else 80)
    if not dev and port not in PORTS:
        raise Barred("port")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path)


def is_open(text: str) -> bool:
    """Whether everybody can route to this address, and it leads nowhere else."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return False
    if any(address.version == net.version and address in net for net in _DOORS):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _resolve(name: str, port: int) -> list[str]:
    """Not longer than `LOOKUP_SECONDS`: the system's resolver may go on for half a minute, and knows no limit.

    A thread for each name: those of a pool could all wait for one who never answers, and everybody else's names too.
    """
    found: Future[list[Any]] = Future()

    def ask() -> None:
        try:
            found.set_result(socket.getaddrinfo(name, port, type=socket.SOCK_STREAM))
        except Exception as error:
            found.set_exception(error)

    threading.Thread(target=ask, name="lookup", daemon=True).start()
    return list(dict.fromkeys(str(entry[4][0]) for entry in found.result(LOOKUP_SECONDS)))


@cache
def _authorities() -> ssl.SSLContext:
    return httpcore.default_ssl_context()


@dataclass(frozen=True)
class Outward:
    """How we go out. Tests give another `resolve` or `tls`; `dev` opens this machine's own loopback."""

    dev: bool = False
    resolve: Callable[[str, int], list[str]] = _resolve
    tls: Callable[[], ssl.SSLContext] = _authorities
    total_seconds: float = TOTAL_SECONDS
    longest: int = MAX_URL

    def addresses(self, url: str) -> tuple[Target, list[str]]:
        """Where `url` leads now, every address allowed; Barred otherwise."""
        where = target(url, dev=self.dev, longest=self.longest)
        try:
            found = self.resolve(where.name, where.port)
        except (OSError, UnicodeError):
            raise Barred("unknown_host") from None
        if not found:
            raise Barred("unknown_host")
        if not all(self._allowed(where, address) for address in found):
            raise Barred("address")
        return where, found

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Send once, wherever `url` leads now. Raises Barred (no connection was made) or Unreachable."""
        deadline = time.monotonic() + self.total_seconds
        where, found = self.addresses(url)
        sent = [(b"Host", where.host_header.encode()), *((k.encode(), v.encode()) for k, v in headers.items())]
        address = httpcore.URL(
            scheme=where.scheme.encode(), host=where.name.encode(), port=where.port, target=where.path.encode()
        )
        try:
            with (
                httpcore.ConnectionPool(ssl_context=self.tls(), network_backend=_Pinned(found, deadline)) as pool,
                pool.stream("POST", address, headers=sent, content=body) as answer,
            ):
                return Answer(answer.status, _beginning(answer.iter_stream()))
        except httpcore.TimeoutException:
            raise Unreachable("timeout") from None
        except httpcore.ConnectError as error:
            raise Unreachable("tls" if "SSL" in str(error) or "CERT" in str(error).upper() else "connection") from None
        except httpcore.NetworkError:
            raise Unreachable("connection") from None
        except httpcore.ProtocolError:
            raise Unreachable("protocol") from None

    def _allowed(self, where: Target, address: str) -> bool:
        if self.dev and ipaddress.ip_address(address.partition("%")[0]).is_loopback:
            return True
        return where.scheme == "https" and where.port in PORTS and is_open(address)


def outward() -> Outward:
    """As the settings say."""
    return Outward(dev=settings.DEV)


def _beginning(chunks: Iterable[bytes]) -> bytes:
    kept = bytearray()
    for chunk in chunks:
        kept += chunk
        if len(kept) >= MAX_ANSWER:
            break
    return bytes(kept[:MAX_ANSWER])


class _Pinned(httpcore.NetworkBackend):
    """Connects to the addresses that were checked, whatever the name says by now."""

    def __init__(self, addresses: list[str], deadline: float) -> None:
        self._addresses = addresses
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        until = min(time.monotonic() + CONNECT_SECONDS, self._deadline)
        for number, address in enumerate(self._addresses):
            try:
                stream = httpcore.SyncBackend().connect_tcp(address, port, timeout=_left(until))
                return _Timed(stream, self._deadline)
            except httpcore.ConnectError:
                if number == len(self._addresses) - 1:
                    raise
        raise httpcore.ConnectError("no address")


class _Timed(httpcore.NetworkStream):
    """A stream with one deadline for all of it: who answers a byte a second is cut off too."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Timed(
            self._inner.start_tls(ssl_context, server_hostname, min(_left(self._deadline), CONNECT_SECONDS)),
            self._deadline,
        )

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("too late")
    return left
