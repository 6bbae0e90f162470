"""Every address of the URLconf with something in each of its parameters: a new route is met on arrival."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

_CONVERTED = re.compile(r"<(?:\w+:)?(\w+)>")
_NAMED = re.compile(r"\(\?P<(\w+)>[^()]*\)")
# What the regular expressions of the libraries take.
_PLAIN = {"app_label": "orders", "url": "nothing", "key": "abc-def", "uidb36": "1"}


@dataclass(frozen=True)
class Address:
    """`route` as the URLconf has it, `path` to ask for, `names` its parameters."""

    route: str
    path: str
    names: tuple[str, ...]
    view: Callable[..., Any]

    @property
    def api(self) -> bool:
        return self.path.startswith("/api/")

    def at(self, name: str, value: str) -> str:
        """The path with `value` (already quoted) in one parameter."""
        return _filled(self.route, lambda known: value if known == name else _PLAIN.get(known, "x"))


def addresses(known: Mapping[str, str] | None = None) -> list[Address]:
    """All of them; `known` fills parameters by name ("x" otherwise)."""
    values = {**_PLAIN, **(known or {})}
    return [
        Address(route, _filled(route, lambda name: values.get(name, "x")), tuple(_names(route)), pattern.callback)
        for route, pattern in _walk(get_resolver().url_patterns, "")
    ]


def one_model(found: Iterable[Address]) -> list[Address]:
    """Without the admin's routes of any model but the user, whose admin is the richest."""
    model = re.compile(r"admin/\w+/\w+/")
    return [one for one in found if not model.match(one.route) or one.route.startswith("admin/accounts/user/")]


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = prefix + _text(pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        else:
            yield route, pattern


def _text(pattern: URLPattern | URLResolver) -> str:
    text = str(pattern.pattern)
    return text.removeprefix("^").removesuffix("$") if isinstance(pattern.pattern, RegexPattern) else text


def _names(route: str) -> list[str]:
    return [*_CONVERTED.findall(_NAMED.sub("", route)), *_NAMED.findall(route)]


def _filled(route: str, value: Callable[[str], str]) -> str:
    path = _NAMED.sub(lambda found: value(found[1]), route)
    return "/" + _CONVERTED.sub(lambda found: value(found[1]), path)
