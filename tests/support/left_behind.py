"""What a request leaves in memory: the same one again and again, in one process, without the server's threads.

`python -m tests.support.left_behind KEY STORE VARIANT CITY LAT LON TIMES`, in a Stack's environment. Prints a JSON line
a kind: its name, and of each round the blocks of Python and the bytes of malloc that stayed.
"""

from __future__ import annotations

import ctypes
import gc
import io
import json
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

ROUNDS = 4
# Promises under way that a process remembers, so that they are as many as it ever keeps before anything is counted.
MOST_OPEN = 20


MALLINFO = (
    *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
    *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
)


class MallInfo(ctypes.Structure):
    """mallinfo2(3), of glibc 2.33 and later."""

    _fields_ = [(name, ctypes.c_size_t) for name in MALLINFO]


class Caller:
    """Calls the WSGI application itself."""

    def __init__(self, host: str) -> None:
        self.application = import_module("highstreet.wsgi").application
        self.host = host

    def call(self, method: str, path: str, body: Any = None, cart: str = "") -> bytes:
        """The answer's body; AssertionError unless it is a success."""
        from highstreet.kernel import ids

        raw = b"" if body is None else json.dumps(body).encode()
        place, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": place,
            "QUERY_STRING": query,
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(raw)),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": self.host,
            "HTTP_IDEMPOTENCY_KEY": ids.random_token(16),
            "HTTP_X_CART_KEY": cart,
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.input": io.BytesIO(raw),
            "wsgi.errors": sys.stderr,
            "wsgi.url_scheme": "http",
        }
        seen: list[str] = []
        answer = self.application(environ, lambda status, _headers, _error=None: seen.append(status))
        try:
            told: bytes = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        assert seen[0].startswith("2"), (path, seen, told[:300])
        return told

    def post(self, path: str, body: Any, cart: str = "") -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.call("POST", f"/api/v1{path}", body, cart))
        return found


def left() -> tuple[int, int]:
    """Blocks that Python has allocated, and bytes that malloc has."""
    gc.collect()
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = MallInfo
    return sys.getallocatedblocks(), libc.mallinfo2().uordblks


def main(arguments: list[str]) -> None:
    host, store, variant, city, lat, lon, times = arguments
    caller = Caller(host)
    lately: Any = import_module("highstreet.delivery.promise.reads.lately")
    lately.MOST_OPEN = MOST_OPEN

    def basket() -> str:
        key: str = caller.post("/carts", {"city": city})["key"]
        caller.call("PUT", f"/api/v1/carts/{key}/lines/{variant}", {"quantity": 1}, key)
        return key

    def quote(cart: str) -> str:
        wanted = {"cart": cart, "mode": "pickup", "lat": float(lat), "lon": float(lon), "store": store}
        made: str = caller.post("/quotes", wanted, cart)["id"]
        return made

    def order() -> None:
        cart = basket()
        wish = {"quote": quote(cart), "cart": cart, "phone": "13800000000", "payment_method": "at_pickup"}
        caller.post("/orders", wish, cart)

    kept = basket()
    kinds: dict[str, Callable[[], object]] = {
        "search": lambda: caller.call("GET", "/search?q=a"),
        "browse": lambda: caller.call("GET", "/browse"),
        "cities": lambda: caller.call("GET", "/api/v1/cities"),
        "basket": basket,
        "quote": lambda: quote(kept),
        "order": order,
    }
    for name, ask in kinds.items():
        rounds = []
        for _ in range(ROUNDS):
            before = left()
            for _ in range(int(times)):
                ask()
            rounds.append([now - was for now, was in zip(left(), before, strict=True)])
        sys.stdout.write(json.dumps({"kind": name, "rounds": rounds}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
