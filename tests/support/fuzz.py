"""Schemathesis against a running stack: requests made from the document, answers checked against it (F1)."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .stack import Stack

PHASES = "examples,coverage,fuzzing,stateful"
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,missing_required_header,unsupported_method,allow_header_conformance,ignored_auth"
)
# What the document does not allow is refused.
STRICT = "negative_data_rejection"
# Too much of anything is refused too.
SETTINGS = f"""
[checks.{STRICT}]
expected-statuses = ["400", "401", "403", "404", "405", "406", "409", "413", "414", "415", "422", "429", "431"]
"""


@dataclass(frozen=True)
class Fuzzed:
    """What one run said: `operations` tried, `cases` sent, and one line for each kind of failure."""

    operations: int
    cases: int
    failures: list[str]
    text: str

    @property
    def good(self) -> bool:
        return self.operations > 0 and self.cases > 0 and not self.failures


def fuzz(
    stack: Stack,
    document: dict[str, Any],
    *,
    who: str,
    token: str = "",
    examples: int,
    seed: int,
    operations: Sequence[str] = (),
    strict: bool = False,
) -> Fuzzed:
    """Run every phase with `examples` of each operation (all, or those of these ids) as the bearer of `token`.

    `strict`: what the document does not allow has to be refused.
    """
    home = stack.home / f"fuzz-{who}-{examples}-{seed}"
    home.mkdir()
    (home / "openapi.json").write_text(json.dumps(document))
    (home / "schemathesis.toml").write_text(SETTINGS)
    checks = f"{CHECKS},{STRICT}" if strict else CHECKS
    # One worker: two threads that parse Python at once break CPython 3.11's ast ("recursion depth mismatch").
    command = [
        str(Path(sys.executable).with_name("st")),
        *("--no-color", "run", str(home / "openapi.json"), "--origin", stack.url),
        *("--phases", PHASES, "--checks", checks, "--max-examples", str(examples), "--seed", str(seed)),
        *("--continue-on-failure", "--suppress-health-check", "all", "--request-timeout", "30"),
        *("--generation-database", "none", "--warnings", "off", "--workers", "1"),
        *(["-H", f"Authorization: Bearer {token}"] if token else []),
        *(part for one in operations for part in ("--include-operation-id", one)),
    ]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False, timeout=3_000)
    text = done.stdout
    failures = re.findall(r"^  ❌ (ST\d+ .*)$", text, flags=re.M)
    if done.returncode != 0 and not failures:
        failures = [f"schemathesis ended with {done.returncode}: {done.stderr[-500:]}"]
    return Fuzzed(_number(r"Tested: (\d+)", text), _number(r"([\d,]+) generated", text), failures, text)


def operations_of(document: dict[str, Any], *permissions: str) -> list[str]:
    """The ids of the operations that need one of these permissions."""
    return [
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
        if operation["x-permission"] in permissions
    ]


def inhabited(document: dict[str, Any], owned: Mapping[str, str]) -> dict[str, Any]:
    """The document with the things of a world in the place of identifiers, so that requests get past not_found.

    `owned` maps a parameter's or a body field's name, or "path name", to what exists.
    """
    known = copy.deepcopy(document)
    for path, methods in known["paths"].items():
        for operation in methods.values():
            for parameter in operation["parameters"]:
                there = owned.get(f"{path} {parameter['name']}") or owned.get(parameter["name"])
                if there and parameter["in"] in ("path", "query"):
                    parameter["schema"] = {"type": "string", "enum": [there]}
    bodies = [
        operation["requestBody"]["content"]["application/json"]["schema"].get("$ref", "").rsplit("/", 1)[-1]
        for methods in known["paths"].values()
        for operation in methods.values()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    ]
    for name in filter(None, bodies):
        for field, rule in known["components"]["schemas"][name]["properties"].items():
            if field in owned and rule.get("type") == "string":
                rule.clear()
                rule |= {"type": "string", "enum": [owned[field]]}
    return known


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    return int(found.group(1).replace(",", "")) if found else 0
