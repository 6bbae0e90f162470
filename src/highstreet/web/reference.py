"""The page on which people read the API: the OpenAPI document drawn by the server, so that it needs no script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

JSON = "application/json"


@dataclass(frozen=True)
class Field:
    """A parameter, or a field of a body: `kind` is its type and, for parameters, where it goes."""

    name: str
    kind: str
    required: bool
    says: str


@dataclass(frozen=True)
class Answer:
    status: str
    says: str
    types: list[str]
    fields: list[Field]


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    says: str
    takes: list[Field]
    answers: list[Answer]


class Reference(DocsBase):
    """Fills ninja's place for a page of documentation."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        document = api.get_openapi_schema()
        rows = operations(document)
        context = {
            # Written with marks for code, which this page does not draw.
            "about": document["info"]["description"].replace("`", ""),
            "version": document["info"]["version"],
            "url": self.get_openapi_url(api, kwargs),
            "groups": [(tag["name"], tag["description"], rows.get(tag["name"], [])) for tag in document["tags"]],
        }
        return render(request, "ui/reference.html", context)


def operations(document: Any) -> dict[str, list[Operation]]:
    """The document's operations by their first tag."""
    found: dict[str, list[Operation]] = {}
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            found.setdefault(told["tags"][0], []).append(_operation(path, method, told, schemas))
    return found


def _operation(path: str, method: str, told: dict[str, Any], schemas: dict[str, Any]) -> Operation:
    takes = [
        Field(one["name"], f"{one['in']}, {_kind(one['schema'])}", one.get("required", False), _says(one))
        for one in told["parameters"]
    ]
    takes += _fields(_schema(told.get("requestBody", {})), schemas)
    answers = [
        Answer(status, one["description"], _types(_schema(one)), _fields(_schema(one), schemas))
        for status, one in told["responses"].items()
    ]
    return Operation(
        told["operationId"], method.upper(), path, told["summary"], told["description"].strip(), takes, answers
    )


def _schema(holder: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = holder.get("content", {}).get(JSON, {}).get("schema", {})
    if not found and (others := list(holder.get("content", {}).values())):
        found = others[0].get("schema", {})
    return found


def _types(schema: dict[str, Any]) -> list[str]:
    """The `type`s that a problem may have."""
    kinds = [part["properties"]["type"]["enum"] for part in schema.get("allOf", []) if "properties" in part]
    return sorted(kind for some in kinds for kind in some)


def _fields(schema: dict[str, Any], schemas: dict[str, Any]) -> list[Field]:
    """The fields of an object, or of the objects of a list; none for a problem, whose form is always the same."""
    inner = schema.get("items", schema)
    known = schemas.get(inner.get("$ref", "").rpartition("/")[2], inner)
    needed = known.get("required", [])
    return [Field(name, _kind(one), name in needed, _says(one)) for name, one in known.get("properties", {}).items()]


def _kind(schema: dict[str, Any]) -> str:
    """A schema in a word: `text`, `list of Line`, `integer or null`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if options := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return " or ".join(_kind(one) for one in options)
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"])
    return str(schema.get("format") or schema.get("type") or "any")


def _says(schema: dict[str, Any]) -> str:
    return str(schema.get("description") or "")
