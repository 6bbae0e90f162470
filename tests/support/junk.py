"""Bodies that no operation may accept, made from the OpenAPI document so that new operations are met as well."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

JSON = "application/json"
MUTATING = ("post", "put", "patch", "delete")
NUL, HALF = "a\u0000b", "a\ud800b"


@dataclass(frozen=True)
class Operation:
    """One operation; `schema` is its body's, None where it takes none; `queries` its query's names."""

    method: str
    path: str
    schema: dict[str, Any] | None
    queries: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


@dataclass(frozen=True)
class Junk:
    """A body to be refused, and why."""

    why: str
    body: bytes
    content_type: str = JSON


def operations(document: dict[str, Any], methods: Sequence[str] = MUTATING) -> list[Operation]:
    """Every operation of the document by one of `methods`, its schema with references followed."""
    found = []
    for path, known in sorted(document["paths"].items()):
        for method in methods:
            if method in known:
                content = known[method].get("requestBody", {}).get("content", {}).get(JSON)
                schema = _followed(content["schema"], document) if content else None
                queries = tuple(one["name"] for one in known[method].get("parameters", ()) if one["in"] == "query")
                found.append(Operation(method, path, schema, queries))
    return found


def raw() -> Iterator[Junk]:
    """What is no JSON object, whatever the operation."""
    yield Junk("empty", b"")
    for text in ("null", "[]", "[1]", '"text"', "42", "{", "{}}", "NaN"):
        yield Junk(f"not an object: {text}", text.encode())
    yield Junk("not UTF-8", b"\xff\xfe{}")
    yield Junk("UTF-16", '{"x": 1}'.encode("utf-16"))
    yield Junk("unclosed nesting", b"[" * 60_000)
    yield Junk("closed nesting", b'{"a":' * 20_000 + b"1" + b"}" * 20_000)
    yield Junk("an unknown field", b'{"price_of_everything": 1}')
    yield Junk("2 MB", b'{"x": "' + b"a" * 2_000_000 + b'"}')
    yield Junk("XML", b"<order><total>1</total></order>", "application/xml")
    yield Junk("a form", b"quantity=1&total=1", "application/x-www-form-urlencoded")
    yield Junk("multipart without a boundary", b"--x\r\n\r\n1\r\n", "multipart/form-data")
    yield Junk("no content type", b"\x00\x01\x02", "")
    yield Junk("an odd charset", b'{"a": 1}', "application/json; charset=utf-7")


def spoiled(operation: Operation, base: dict[str, Any]) -> Iterator[Junk]:
    """`base` (a right body) with one field wrong, for every field and every way to be wrong."""
    schema = operation.schema or {}
    for name in ("price", "unit_price", "total", "goods_total", "amount_due", "discount", "customer_id", "store_id"):
        if name not in schema.get("properties", {}):
            yield Junk(f"{name} in the request", _dumped({**base, name: 1}))
    for name, rule in schema.get("properties", {}).items():
        if name in schema.get("required", ()):
            yield Junk(f"{name} missing", _dumped({key: value for key, value in base.items() if key != name}))
        for value in _wrong(name, rule):
            body = copy.deepcopy(base)
            body[name] = value
            yield Junk(f"{name} = {str(value)[:40]!r} ({type(value).__name__})", _dumped(body))


def example(rule: dict[str, Any]) -> Any:
    """A value of the right kind."""
    if rule.get("enum"):
        return rule["enum"][0]
    if "const" in rule:
        return rule["const"]
    if rule.get("default") not in (None, ""):
        return rule["default"]
    if "anyOf" in rule:
        return example(rule["anyOf"][0])
    if rule.get("type") == "object" or "properties" in rule:
        return {name: example(rule["properties"][name]) for name in rule.get("required", ())}
    return {"string": "x", "integer": max(1, rule.get("minimum", 1)), "number": 1.0, "boolean": True, "array": []}.get(
        str(rule.get("type")), "x"
    )


def _wrong(name: str, rule: dict[str, Any]) -> Iterator[Any]:
    kinds = {str(one.get("type", "")) for one in rule.get("anyOf", [rule])}
    yield {"a": 1}
    if "array" not in kinds:
        yield [1]
    if "null" not in kinds:
        yield None
    if "string" in kinds:
        yield from (0, True, 1.5, NUL, HALF, "x" * 100_000)
    if "integer" in kinds:
        yield from (-1, 10**18, 1.5, "1", float("nan"), True, 10**400)
        if rule.get("minimum", 1) >= 1 and name in ("quantity", "units"):
            yield 0
    if "number" in kinds:
        yield from ("1", float("nan"), float("inf"), 1e308, True, "0x10")
    if "boolean" in kinds:
        yield from (1, 0, "true", "yes")


def _dumped(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


def _followed(rule: Any, document: dict[str, Any]) -> Any:
    """The schema with every $ref replaced by what it names."""
    if isinstance(rule, list):
        return [_followed(one, document) for one in rule]
    if not isinstance(rule, dict):
        return rule
    if "$ref" in rule:
        name = rule["$ref"].rsplit("/", 1)[-1]
        return _followed(document["components"]["schemas"][name], document)
    return {key: _followed(value, document) for key, value in rule.items()}
