"""The web server with every connection that its Python code opens written down: `python -m tests.support.watched`.

The database is reached by libpq, which is not Python's; what is written is what a notification might have made us
call: a certificate's address, a query, an entity of an XML document.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .stack import Stack

FILE = "outbound.txt"
_watching: list[bool] = []


def calls(stack: Stack) -> list[str]:
    """The addresses connected to so far."""
    path = stack.home / FILE
    return path.read_text().splitlines() if path.exists() else []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
        with (Path(os.environ["HIGHSTREET_DATA"]) / FILE).open("a") as file:
            file.write(f"{event} {arguments[1:]}\n")


def application(environ: dict[str, Any], start_response: Any) -> Any:
    if not _watching:
        _watching.append(True)
        sys.addaudithook(_watch)
    return import_module("highstreet.wsgi").application(environ, start_response)


def main() -> None:
    from highstreet.web.server import serve

    parser = argparse.ArgumentParser()
    for name in ("--port", "--workers", "--threads"):
        parser.add_argument(name, type=int, required=True)
    options = parser.parse_args()
    serve("tests.support.watched:application", port=options.port, workers=options.workers, threads=options.threads)


if __name__ == "__main__":
    main()
