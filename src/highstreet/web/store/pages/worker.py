"""The script that keeps the store's pages for when there is no network, at an address that covers them."""

from __future__ import annotations

from pathlib import Path

from django.http import HttpRequest, HttpResponse

from highstreet.kernel.policy import PUBLIC, route

SCRIPT = (Path(__file__).parent.parent / "static/store/worker.js").read_bytes()


@route(PUBLIC)
def worker(request: HttpRequest) -> HttpResponse:
    """The same for everybody, and looked for anew each time: a browser keeps the old one while it is equal."""
    return HttpResponse(SCRIPT, content_type="text/javascript", headers={"Cache-Control": "no-cache"})
