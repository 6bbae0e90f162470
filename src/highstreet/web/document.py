"""The OpenAPI document: what each feature says of its operations, and what the platform adds to all of them.

A feature names its own refusals (`kernel.api.refuses`). From an operation's permission, parameters and limits follow
the others: who is asked to sign in, what is too large, too often or too much for the moment.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from highstreet.kernel import idempotency, refusal
from highstreet.kernel.api import PROBLEM
from highstreet.kernel.policy import PUBLIC

from .rules import SAFE, limit_for

ABOUT = """\
Carts, promises, orders and the work behind them. All of it is JSON over HTTPS under /api/v1, and docs/api.md of the
source is the guide to it. Money is whole minor units (fen), times are RFC 3339, identifiers are texts with a prefix
(`ord_…`). Refusals are problems (RFC 9457) whose `type` a program may rely on; `title` is in the language of
Accept-Language (zh-CN, en). Unknown fields of a request are refused; ignore those of an answer that you do not know."""
TAGS = [
    {"name": "catalogue", "description": "Cities, the stores that reach a place, their shelves and products."},
    {"name": "cart", "description": "Baskets, each known by its secret key."},
    {"name": "orders", "description": "Quotes with a promised time, orders, payment, calling off."},
    {"name": "reviews", "description": "What customers say of an order."},
    {"name": "payments", "description": "Where payment providers call."},
    {"name": "accounts", "description": "Signing in."},
    {"name": "privacy", "description": "What people agree to, a copy of their data, and being forgotten."},
    {"name": "store", "description": "The store's queue and its picking."},
    {"name": "couriers", "description": "The courier's duty, shifts, wishes and earnings, and a city's roster."},
    {"name": "deliveries", "description": "The courier's tasks and their steps."},
    {"name": "fleets", "description": "Where delivery fleets call."},
    {"name": "partners", "description": "API keys and webhooks."},
    {"name": "streams", "description": "Where to listen for news."},
]
KEY_HEADER = "Idempotency-Key"
# What a path's parameter is: the prefix of our identifiers, where it is one.
PREFIXES = {
    "delivery_id": "dlv",
    "fleet": "flt",
    "fulfilment": "ful",
    "line": "lin",
    "order": "ord",
    "product": "prd",
    "quote": "quo",
    "sending": "snd",
    "shift": "shf",
    "store": "str",
    "variant": "var",
    "webhook": "whk",
    "wish": "wsh",
}
EXAMPLE_TAIL = "01m8zq5k3v7t2c9w4x6y8a0b1d"
SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A person's token from POST /api/v1/sessions, or a partner's key (hs_live_…).",
    }
}
STATUSES = {
    401: "Nobody is signed in, or what was sent proves nothing.",
    403: "Not allowed; or told by a cookie, without the page's token (csrf).",
    404: "There is nothing here that the caller may see.",
    409: "Not now: things have changed, or are not that far.",
    413: "More than is taken at once.",
    414: "The address is too long (8 KB).",
    422: "Something in the request is wrong; `facts.field` says what.",
    429: "Too often; `Retry-After` says when again.",
    431: "The headers are too large (16 KB).",
    503: "Busy for a moment; `Retry-After` says when again. A change sent again with its key happens once.",
}
PROBLEM_SCHEMA = {
    "title": "Problem",
    "description": "RFC 9457. `type` is for programs and does not change; `title` is for people, in their language.",
    "type": "object",
    "required": ["type", "title", "status", "facts"],
    "properties": {
        "type": {"type": "string", "examples": ["not_found"]},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "facts": {"type": "object", "description": "what the words speak of: the field, the state, the time"},
    },
}


class Document(OpenAPISchema):
    """ninja's document, made complete. Two different schemas of one name are a programming error."""

    def get_paths(self) -> dict[str, Any]:
        paths: dict[str, Any] = super().get_paths()
        for path, methods in paths.items():
            for method, details in methods.items():
                _complete(path, method.upper(), details)
        self.known_paths = paths
        return paths

    def operation_details(self, operation: Operation) -> dict[str, Any]:
        details: dict[str, Any] = super().operation_details(operation)
        details["x-permission"] = getattr(operation.view_func, "__policy__", PUBLIC)
        summary, _, rest = " ".join((operation.view_func.__doc__ or "").split()).partition(". ")
        details["summary"] = summary.removesuffix(".") or operation.summary
        details["description"] = rest
        return details

    def add_schema_definitions(self, definitions: dict[str, Any]) -> None:
        for name, schema in definitions.items():
            if self.schemas.setdefault(name, schema) != schema:
                raise ValueError(f"two schemas are called {name}")

    def get_components(self) -> dict[str, Any]:
        components: dict[str, Any] = super().get_components()
        self.schemas["Problem"] = PROBLEM_SCHEMA
        used = _named(self.known_paths, self.schemas)
        return {**components, "schemas": {name: self.schemas[name] for name in used}, "securitySchemes": SCHEMES}


def _named(paths: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    """The schemas that the paths refer to, directly or through others; queries leave some that nobody names."""
    found: set[str] = set()
    texts = [json.dumps(paths)]
    while texts:
        names = set(re.findall(r'"#/components/schemas/(\w+)"', texts.pop())) - found
        found |= names
        texts += [json.dumps(schemas[name]) for name in names]
    return sorted(found)


def _complete(path: str, method: str, details: dict[str, Any]) -> None:
    """Add to an operation what follows from its permission, its parameters and its limits."""
    permission, repeat = details["x-permission"], details.get("x-repeat", "")
    details["security"] = [{}, {"bearer": []}] if permission == PUBLIC else [{"bearer": [permission]}]
    details["parameters"] = [_parameter(one) for one in details.get("parameters", [])]
    words = [details["description"]]
    codes = {"invalid", "busy", "url_too_long", "headers_too_large"} | (
        {"too_large", "csrf"} if method not in SAFE else set()
    )
    if permission != PUBLIC:
        words.append(f"Needs the permission `{permission}`.")
        codes |= {"not_signed_in", "forbidden", "second_factor_needed"}
    if method not in SAFE and not repeat:
        details["parameters"].append(_key_header())
        codes |= {"key_missing", "key_reused", "key_in_flight"}
    if repeat:
        words.append(f"Takes no Idempotency-Key: {repeat}.")
    if limit_for(method, path) is not None:
        codes.add("too_often")
    details["description"] = " ".join(word for word in words if word)
    details["responses"] = _responses(details["responses"], codes | set(details.pop("x-refusals", ())))


def _responses(known: dict[Any, Any], codes: set[str]) -> dict[str, Any]:
    """The answers of success as they are, and a problem for every status of `codes`.

    A refusal that a feature gave only a status may be any of that status.
    """
    grouped: dict[int, set[str]] = defaultdict(set)
    for code in codes:
        grouped[refusal.named(code).status].add(code)
    for status in known:
        if int(status) >= 400:
            grouped[int(status)] |= {one.code for one in refusal.declared() if one.status == int(status)}
    good = {str(status): answer for status, answer in known.items() if int(status) < 400}
    return good | {str(status): _problem(status, grouped[status]) for status in sorted(grouped)}


def _problem(status: int, codes: set[str]) -> dict[str, Any]:
    kind = {"properties": {"type": {"enum": sorted(codes)}, "status": {"const": status}}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, kind]}
    answer: dict[str, Any] = {"description": STATUSES[status], "content": {PROBLEM: {"schema": schema}}}
    if status in (429, 503):
        answer["headers"] = {"Retry-After": {"description": "seconds", "schema": {"type": "string"}}}
    return answer


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    """A path's identifier with its form and an example."""
    prefix = PREFIXES.get(parameter["name"]) if parameter["in"] == "path" else None
    if prefix is None:
        return parameter
    form = {"pattern": rf"^{prefix}_[0-9a-hjkmnp-tv-z]{{26}}$", "examples": [f"{prefix}_{EXAMPLE_TAIL}"]}
    return {**parameter, "schema": {**parameter["schema"], **form}}


def _key_header() -> dict[str, Any]:
    return {
        "in": "header",
        "name": KEY_HEADER,
        "required": True,
        "description": "Chosen by the caller, another for each change. Sent again with the same request, it gets the "
        "same answer and nothing happens twice; with another request it is refused as key_reused.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": idempotency.MAX_KEY,
            "pattern": idempotency.KEY_PATTERN,
            "examples": ["3f0a4c1e-order-1"],
        },
    }


def operation_id(tags: list[str], function: str) -> str:
    """`orders`, `own_orders` -> `orders_own_orders`: one for each operation, as generated clients name them."""
    return re.sub(r"\W", "_", "_".join([*tags[:1], function]))
