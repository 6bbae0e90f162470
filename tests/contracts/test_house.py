"""The house's rules, checked over the whole tree."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from highstreet.kernel.policy import PUBLIC, SYSTEM
from highstreet.people.staff.policy import PERMISSIONS

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "highstreet"
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 70
# Routes of libraries, which guard themselves.
FOREIGN = ("admin/", "accounts/", "i18n/")


def sources() -> list[Path]:
    return [path for path in sorted(SOURCE.rglob("*.py")) if "/migrations/" not in str(path)]


def test_files_and_functions_stay_small() -> None:
    long = []
    for path in [*sources(), *(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").rglob("*.py")]:
        text = path.read_text()
        if text.count("\n") > MAX_FILE_LINES:
            long.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {lines} lines")
    assert long == []


def test_what_looks_like_a_test_is_one() -> None:
    """A `test_` in a file that no run collects tests nothing."""
    found = []
    for path in [*(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").rglob("*.py"), *SOURCE.rglob("*.py")]:
        if not path.name.startswith("test_"):
            tree = ast.parse(path.read_text())
            names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
            found += [f"{path.relative_to(ROOT)}: {name}" for name in names if name.startswith("test_")]
    assert found == []


def test_time_randomness_and_network_come_from_the_kernel() -> None:
    """So that a day can be replayed. Tests, the twin and the provider's sandbox are outside."""
    free = ("/tests/", "/kernel/", "/twin/", "/sandbox/")
    banned = {"datetime.now", "datetime.utcnow", "timezone.now", "time.time", "random.random", "uuid.uuid4"}
    found = []
    for path in sources():
        if any(part in str(path) for part in free):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                name = f"{node.value.id}.{node.attr}"
                if name in banned:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno} {name}")
    assert found == []


def test_no_floats_in_trade_or_the_ledger() -> None:
    """Money is integers. Coordinates are the only floats that trade may carry."""
    found = []
    for path in [*(SOURCE / "trade").rglob("*.py"), SOURCE / "kernel/ledger.py", SOURCE / "kernel/money.py"]:
        if any(part in str(path) for part in ("/tests/", "/sandbox/", "/migrations/")):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and "Path" not in ast.dump(node):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno} /")
    assert found == []


def actions() -> Iterator[tuple[str, object]]:
    import importlib

    for path in sources():
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        if "actions" not in parts or "tests" in parts:
            continue
        module = importlib.import_module(".".join(part for part in parts if part != "__init__"))
        for name, value in vars(module).items():
            own = callable(value) and getattr(value, "__module__", "") == module.__name__
            if own and not name.startswith("_") and not isinstance(value, type):
                yield f"{module.__name__}.{name}", value


def test_every_action_names_its_policy() -> None:
    known = PERMISSIONS | {PUBLIC, SYSTEM}
    wrong = [name for name, value in actions() if getattr(value, "__policy__", None) not in known]
    assert wrong == []


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, object]]:
    for pattern in patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, address)
        else:
            yield address, pattern.callback


def test_every_route_names_its_policy() -> None:
    known = PERMISSIONS | {PUBLIC}
    wrong = []
    for address, callback in routes(get_resolver().url_patterns):
        if (
            address.startswith(FOREIGN)
            or "openapi.json" in address
            or address.endswith("api-root")
            or address == "api/v1/"
        ):
            continue
        if address.startswith("api/v1/"):
            continue
        if getattr(callback, "__policy__", None) not in known:
            wrong.append(address)
    assert wrong == []


def test_every_api_operation_names_its_policy() -> None:
    from highstreet.web.api import api

    known = PERMISSIONS | {PUBLIC}
    wrong, seen = [], 0
    for _, router in api._routers:
        for address, view in router.path_operations.items():
            for operation in view.operations:
                seen += 1
                if getattr(operation.view_func, "__policy__", None) not in known:
                    wrong.append(f"{operation.methods} {address}")
    assert wrong == []
    assert seen > 5


@pytest.mark.parametrize("command", [["lint-imports"], ["ruff", "check", "src", "tests"]])
def test_floors_and_lint(command: list[str]) -> None:
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run([program, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
