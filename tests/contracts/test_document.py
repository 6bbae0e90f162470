"""The OpenAPI document: complete, and of one mind with the code behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.test import Client

from highstreet.kernel.api import PROBLEM
from highstreet.kernel.policy import PUBLIC
from highstreet.kernel.refusal import declared
from highstreet.web.edges import MAX_HEADERS, MAX_URL

MUTATING = ("post", "put", "patch", "delete")
MOST_IN_A_BATCH = 50


@cache
def document() -> dict[str, Any]:
    answer = Client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    known: dict[str, Any] = answer.json()
    return known


@pytest.fixture(autouse=True)
def database(db: None) -> None:
    """Every request asks for the cities' time zone."""


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_it_is_openapi_3_1_with_a_name_for_everything() -> None:
    assert document()["openapi"].startswith("3.1")
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(ids) == len(set(ids)) > 50
    tags = {tag["name"] for tag in document()["tags"]}
    for method, path, operation in operations():
        name = f"{method} {path}"
        assert set(operation["tags"]) <= tags, name
        assert operation["summary"], name
        assert operation["summary"] != operation["operationId"].split("_", 1)[1].replace("_", " ").title(), name
        assert operation["security"], name
        assert any(status.startswith("2") for status in operation["responses"]), name


def test_it_is_valid_against_the_specification_that_clients_read_it_by() -> None:
    from openapi_python_client.schema import OpenAPI

    OpenAPI.model_validate(document())


def test_every_refusal_is_a_problem_whose_codes_are_ours() -> None:
    known = {reason.code: reason.status for reason in declared()}
    for method, path, operation in operations():
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                continue
            kind = answer["content"][PROBLEM]["schema"]["allOf"][1]["properties"]
            assert {known[code] for code in kind["type"]["enum"]} == {int(status)}, (method, path, status)
        assert {"503", "414", "431"} <= set(operation["responses"])
        signed_in = operation["x-permission"] != PUBLIC
        assert signed_in <= ({"401", "403"} <= set(operation["responses"])), (method, path)


def test_every_change_takes_an_idempotency_key_or_says_why_not() -> None:
    for method, path, operation in operations():
        headers = [one["name"] for one in operation["parameters"] if one["in"] == "header" and one["required"]]
        assert (method in MUTATING and not operation.get("x-repeat")) == ("Idempotency-Key" in headers), (method, path)
        if operation.get("x-repeat"):
            assert method in MUTATING and operation["x-repeat"] in operation["description"]


def test_the_code_asks_for_the_key_where_the_document_says_so() -> None:
    """Who asks is `once`: each changing operation calls it, but those that say why they need no key."""
    import inspect

    from highstreet.web.api import api

    wrong = []
    for router in api._get_bound_routers():
        for view in router.path_operations.values():
            for operation in view.operations:
                source = inspect.getsource(inspect.unwrap(operation.view_func))
                asks = bool(re.search(r"\b(once|_told_once|_step)\(", source))
                changes = any(method.lower() in MUTATING for method in operation.methods)
                says = bool((operation.openapi_extra or {}).get("x-repeat"))
                if asks != (changes and not says):
                    wrong.append(f"{operation.methods} {operation.path}")
    assert wrong == []


def schema_of(rule: dict[str, Any]) -> dict[str, Any]:
    name = str(rule.get("$ref", "")).rsplit("/", 1)[-1]
    found: dict[str, Any] = document()["components"]["schemas"][name] if name else rule
    return found


def test_every_list_pages_or_is_bounded() -> None:
    wrong = []
    for method, path, operation in operations():
        if method != "get":
            continue
        answers = operation["responses"]["200"]["content"]
        if "application/zip" in answers:
            continue
        answer = schema_of(answers["application/json"]["schema"])
        listed = answer if answer.get("type") == "array" else answer.get("properties", {}).get("items")
        if listed is None or listed.get("maxItems", 10**9) <= 200:
            continue
        queries = {one["name"]: one["schema"] for one in operation["parameters"] if one["in"] == "query"}
        pages = queries.get("limit", {}).get("maximum", 10**9) <= 100 and "pattern" in queries.get("cursor", {})
        if not (pages and "next" in answer["properties"]):
            wrong.append(path)
    assert wrong == []


def test_every_batch_of_a_body_is_bounded() -> None:
    for method, path, operation in operations():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            for name, rule in schema_of(content["schema"]).get("properties", {}).items():
                for one in rule.get("anyOf", [rule]):
                    if one.get("type") == "array":
                        assert one["maxItems"] <= MOST_IN_A_BATCH, (method, path, name)
                    if one.get("type") == "string" and not {"enum", "const", "format"} & set(one):
                        assert "maxLength" in one or name == "proof", (method, path, name)


def test_what_never_reaches_an_operation_is_refused_as_a_problem() -> None:
    client = Client()
    for answer, code in [
        (client.get("/api/v1/nothing-here"), "not_found"),
        (client.put("/api/v1/cities"), "wrong_method"),
        (client.get("/api/v1/cities?q=" + "x" * MAX_URL), "url_too_long"),
        (client.get("/api/v1/cities", headers={"X-Long": "x" * MAX_HEADERS}), "headers_too_large"),
    ]:
        assert answer["Content-Type"] == PROBLEM
        assert answer.json()["type"] == code
    assert client.put("/api/v1/cities")["Allow"] == "GET"
    assert client.get("/", headers={"X-Long": "x" * MAX_HEADERS}).status_code == 431


def test_people_can_read_it() -> None:
    page = Client().get("/api/v1/docs")
    assert page.status_code == 200
    assert "unsafe" not in page["Content-Security-Policy"]
