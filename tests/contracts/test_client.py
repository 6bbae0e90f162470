"""A client generated from the document does a whole order against the real server, and its types hold."""

from __future__ import annotations

import importlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.support import shop
from tests.support.stack import Stack

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("an_order.py")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """`make client`, into a folder of this test; importable while the module's tests run."""
    folder = tmp_path_factory.mktemp("client") / "client"
    done = subprocess.run(
        [sys.executable, "scripts/client.py", str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


def of(name: str) -> Any:
    module: ModuleType = importlib.import_module(f"highstreet_client.{name}")
    return module


def test_a_whole_order(package: Path) -> None:
    """City, shelf, cart, quote, order, payment, status: by generated functions and types only."""
    from . import an_order

    with Stack(["web", "worker", "sandbox"]) as stack:
        order = an_order.place(stack.url, city=shop.CITY, lat=shop.HERE[0], lon=shop.HERE[1], phone="13900000000")
        code = order.code_url.partition("pr=")[2]
        done = httpx.post(f"{stack.wallet}/wallet/native", params={"pr": code}, data={"answer": "pay"}, trust_env=False)
        assert done.status_code == 303
        deadline = time.monotonic() + 60.0
        while (status := an_order.status(stack.url, order)) == "pending" and time.monotonic() < deadline:
            time.sleep(0.2)
        assert status == "confirmed"
        assert an_order.refused(stack.url) == ("not_found", 404)
        assert stack.audit().code == 0


@pytest.mark.long
def test_its_types_hold(package: Path) -> None:
    """mypy, strict, over the generated package and over the program that uses it."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file=", "--disallow-any-generics"),
            *(str(package / "highstreet_client"), str(SCRIPT)),
        ],
        cwd=package,
        env={"PATH": "/usr/bin:/bin", "MYPYPATH": str(package)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
