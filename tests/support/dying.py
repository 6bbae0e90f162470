"""A web server that dies on demand: the real one, with a way to kill it between the work and the answer.

`python -m tests.support.dying --port N [--forget]`. A request with `X-Die: before` kills the process (SIGKILL) when its
work is done and not committed, `X-Die: after` when it is committed and not answered. `--forget` is the negative
control: a server that keeps no answer for any Idempotency-Key. Nothing in the product can do any of this.
"""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Callable
from contextvars import ContextVar
from importlib import import_module
from typing import Any

FORGET = "HS_TEST_FORGET"
_wish: ContextVar[str] = ContextVar("when to die", default="")


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """The real application. Loaded by name: it sets Django up before the kernel can be met."""
    real = import_module("highstreet.wsgi").application
    _arm(import_module("highstreet.kernel.idempotency"))
    wish = _wish.set(environ.get("HTTP_X_DIE", ""))
    try:
        answer = real(environ, start_response)
        if _wish.get() == "after":
            _die()
        return answer
    finally:
        _wish.reset(wish)


def _arm(kernel: Any) -> None:
    if hasattr(kernel, "armed"):
        return
    guarded = kernel.once

    def once(*, work: Callable[[], tuple[int, Any]], **names: Any) -> tuple[int, Any]:
        def deadly() -> tuple[int, Any]:
            done = work()
            if _wish.get() == "before":
                _die()
            return done

        if os.environ.get(FORGET):
            forgotten: tuple[int, Any] = import_module("highstreet.kernel.transactions").anew(deadly)
            return forgotten
        found: tuple[int, Any] = guarded(work=deadly, **names)
        return found

    kernel.once, kernel.armed = once, True


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    from highstreet.web.server import serve

    parser = argparse.ArgumentParser()
    for name in ("--port", "--workers", "--threads"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--forget", action="store_true")
    options = parser.parse_args()
    if options.forget:
        os.environ[FORGET] = "1"
    serve("tests.support.dying:application", port=options.port, workers=options.workers, threads=options.threads)


if __name__ == "__main__":
    main()
