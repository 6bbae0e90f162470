"""What every answer tells the browser to refuse: foreign scripts, frames, sniffing, plain HTTP.

It stands outside every other middleware but the request's id, so that errors, static files and refusals carry it too.
"""

from __future__ import annotations

from collections.abc import Callable

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]
ADMIN = "/admin/"
# Ours only: the place on the map, the barcode scanner, paying by another page of ours. The rest nobody may ask for.
OWN_FEATURES = ("camera", "geolocation")
NO_FEATURES = (
    "accelerometer",
    "autoplay",
    "bluetooth",
    "browsing-topics",
    "display-capture",
    "encrypted-media",
    "gyroscope",
    "hid",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
PERMISSIONS = ", ".join([*(f"{one}=(self)" for one in OWN_FEATURES), *(f"{one}=()" for one in NO_FEATURES)])
# Unfold's pages are written with Alpine, which compiles expressions; still no inline script and no inline <style>.
# Its widgets and Alpine write style attributes.
ADMIN_DIRECTIVES = {
    "script-src": ["'self'", "'unsafe-eval'"],
    "script-src-attr": ["'none'"],
    "style-src": ["'self'"],
    "style-src-attr": ["'unsafe-inline'"],
}


class Csp(CSPMiddleware):
    """The policy of the settings; under /admin/ with what Unfold needs added."""

    def get_policy_parts(self, request: HttpRequest, response: HttpResponse, report_only: bool = False) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(ADMIN):
            parts.replace = {**ADMIN_DIRECTIVES, **(parts.replace or {})}
        return parts


class Headers:
    """Adds the headers that are the same for every answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in headers().items():
            response.setdefault(name, value)
        return response


def headers() -> dict[str, str]:
    """Also for answers that no page gives (the event streams). HSTS goes by the settings and not by the request:
    behind a proxy that ends TLS the request is plain, and a browser ignores the header there."""
    common: dict[str, str] = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS,
    }
    if settings.HTTPS:
        common["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}"
    return common
