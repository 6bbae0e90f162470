"""Every operation that the platform answers: the API's from its OpenAPI document, the pages' from the URLconf."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

API = "/api/v1/"
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
GROUP = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")


@dataclass(frozen=True, order=True)
class Route:
    """A method on a path; `parameters` are the names in braces. `schema` is the JSON body's, None without."""

    path: str
    method: str

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    @property
    def api(self) -> bool:
        return self.path.startswith(API)

    @property
    def admin(self) -> bool:
        return self.path.startswith("/admin/")


def document() -> dict[str, Any]:
    from highstreet.web.api import api

    return dict(api.get_openapi_schema())


def operations() -> dict[Route, dict[str, Any]]:
    """The API's operations with what the document says of each."""
    return {
        Route(path, method.upper()): known
        for path, methods in document()["paths"].items()
        for method, known in methods.items()
    }


def patterns() -> Iterator[tuple[str, URLPattern]]:
    """Every pattern of the URLconf as a path with its parameters in braces."""
    return _walk(get_resolver().url_patterns, "/")


def every_route() -> list[Route]:
    """Operations by their methods; pages, which take any method, by GET and POST; in order."""
    found = set(operations())
    described = {re.sub(r"{\w+}", "{}", route.path) for route in found}
    for path, _pattern in patterns():
        if path.startswith(API) and re.sub(r"{\w+}", "{}", path) in described:
            continue
        found |= {Route(path, "GET"), Route(path, "POST")}
    return sorted(found)


def policy_of(path: str) -> str:
    """What a page's view names as its permission; "" for pages of libraries."""
    return str(next((getattr(one.callback, "__policy__", "") for known, one in patterns() if known == path), ""))


def _walk(found: list[URLPattern | URLResolver], before: str) -> Iterator[tuple[str, URLPattern]]:
    for one in found:
        path = before + _plain(str(one.pattern))
        if isinstance(one, URLPattern):
            yield path, one
        else:
            yield from _walk(one.url_patterns, path)


def _plain(pattern: str) -> str:
    return PARAMETER.sub(r"{\1}", GROUP.sub(r"{\1}", pattern)).removeprefix("^").removesuffix("$")
