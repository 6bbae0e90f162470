"""The negative control of the tests of hostile texts: the real web server, its templates escaping nothing.

`python -m tests.support.unescaped --port N`. Nothing in the product can do this.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """The real application; before its first template is loaded, escaping is off in each process."""
    real = import_module("highstreet.wsgi").application
    settings: Any = import_module("django.conf").settings
    settings.TEMPLATES[0]["OPTIONS"]["autoescape"] = False
    return real(environ, start_response)


def main() -> None:
    from highstreet.web.server import serve

    parser = argparse.ArgumentParser()
    for name in ("--port", "--workers", "--threads"):
        parser.add_argument(name, type=int, required=True)
    options = parser.parse_args()
    serve("tests.support.unescaped:application", port=options.port, workers=options.workers, threads=options.threads)


if __name__ == "__main__":
    main()
