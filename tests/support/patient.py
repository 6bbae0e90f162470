"""The negative control: a web server that never gives up a service that does not answer.

`python -m tests.support.patient --port N --workers N --threads N`: its breakers let every call through. Nothing in the
product can do this.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """The real application, its breakers taken out on the first request of each process."""
    real = import_module("highstreet.wsgi").application
    import_module("highstreet.kernel.breaker").Breaker._enter = _let_through
    return real(environ, start_response)


def _let_through(self: Any) -> None:
    with self._changed:
        self._waiting += 1


def main() -> None:
    from highstreet.web.server import serve

    parser = argparse.ArgumentParser()
    for name in ("--port", "--workers", "--threads"):
        parser.add_argument(name, type=int, required=True)
    options = parser.parse_args()
    serve("tests.support.patient:application", port=options.port, workers=options.workers, threads=options.threads)


if __name__ == "__main__":
    main()
