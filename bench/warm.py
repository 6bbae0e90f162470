"""How a mutant is tried: in a fork of a warm process, or in a process of its own. See `bench/mutants.py`."""

from __future__ import annotations

import ast
import importlib
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import _lru_cache_wrapper
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

import pytest

from .mutations import Mutant

OPTIONS = ["-p", "no:cacheprovider", "--timeout=60", "-x"]
COPY = "test_mutant"
SECONDS = 600
Told = Callable[[str], None]


class Warm:
    """A plugin of pytest that runs the tests once, then those that matter once for each mutant of a function."""

    def __init__(self, path: Path, found: list[Mutant], told: Told) -> None:
        self.path = path
        self.found = found
        self.told = told
        self.killers: dict[Mutant, str] = {}
        self.calls: dict[str, set[str]] = {}
        self.seconds: dict[str, float] = {}
        self.kills: Counter[str] = Counter()
        self.failed = ""
        self.done = False
        source = path.read_text()
        self.before = dict(_codes(compile(ast.parse(source), str(path), "exec")))

    def run(self, tests: list[str]) -> None:
        """Collect `tests` and try every mutant that a fork can try. `killers` tells who killed which."""
        pytest.main(["--create-db", *OPTIONS, *tests], plugins=[self])
        if not self.done:
            raise SystemExit(f"the tests fail without a mutant: {self.failed or 'not collected'} {self.longrepr}")

    def changed(self, mutant: Mutant) -> dict[str, CodeType]:
        """The functions that a mutant changes; empty where it is none's."""
        after = dict(_codes(compile(mutant.tree, str(self.path), "exec")))
        functions = {name for name, _ in _functions(self.module)}
        return {name: after[name] for name in functions if name in after and after[name] != self.before[name]}

    def calling(self, mutant: Mutant) -> list[str]:
        """The tests that call what a mutant changes, the likeliest killers first, then the quickest."""
        names = set(self.changed(mutant))
        found = [test for test, called in self.calls.items() if called & names]
        return sorted(found, key=lambda test: (-self.kills[test], self.seconds[test]))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        parts = self.path.with_suffix("").parts
        self.module = importlib.import_module(".".join(parts[parts.index("highstreet") :]))
        self.items = {item.nodeid: item for item in session.items}
        for item in session.items:
            self._first(item, session)
            if self.failed:
                return True
        self._try(None)
        for mutant in self.found:
            if self.changed(mutant):
                self._try(mutant)
        self._try(None)
        self.done = True
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            late = "Timeout (>" in str(report.longrepr)
            self.failed = "timeout" if late else report.nodeid
            self.longrepr = str(report.longrepr)

    def _first(self, item: pytest.Item, session: pytest.Session) -> None:
        """Run a test as it is. What is set up for the whole session stays, the rest is torn down."""
        called: set[str] = set()

        def watch(frame: FrameType, event: str, argument: object) -> None:
            if event == "call" and frame.f_code.co_filename == str(self.path):
                called.add(frame.f_code.co_qualname)

        _forget(self.module)
        began = time.monotonic()
        threading.setprofile(watch)
        sys.setprofile(watch)
        try:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=session)
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
        self.calls[item.nodeid] = called
        self.seconds[item.nodeid] = time.monotonic() - began

    def _try(self, mutant: Mutant | None) -> None:
        """Fork, and run the tests that call what the mutant changes (any of the module, for None, which must pass)."""
        tests = self.calling(mutant) if mutant else [test for test, called in self.calls.items() if called]
        began = time.monotonic()
        _copy_database()
        told = _forked(lambda: self._within(mutant, tests))
        if told.startswith("broken"):
            raise SystemExit(told)
        if mutant is None and told:
            self.failed = told
            raise SystemExit(f"the tests fail without a mutant: {told}")
        if mutant is not None:
            self.told(f"{time.monotonic() - began:6.1f} s  {mutant.line} {mutant.what}: {told or 'SURVIVES'}")
        if mutant is not None and told:
            self.killers[mutant] = told
            self.kills[told] += 1

    def _within(self, mutant: Mutant | None, tests: list[str]) -> str:
        """In the fork: the first test that fails, or nothing."""
        from django.conf import settings
        from django.db import connection

        connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = COPY
        codes = self.changed(mutant) if mutant else {}
        for name, function in _functions(self.module):
            if name in codes:
                function.__code__ = codes[name]
        _forget(self.module)
        items = [self.items[test] for test in tests]
        for at, item in enumerate(items):
            following = items[at + 1] if at + 1 < len(items) else item.session
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                return self.failed
        return ""


class Cold:
    """Tries a mutant in a process of its own, over a copy of the tree and with a database of its own."""

    def __init__(self, root: Path, path: str) -> None:
        self.root = root
        self.path = path

    def killer(self, tree: Path, mutant: Mutant | None, tests: list[str]) -> str:
        """What fails in `tree`, which is made where it is empty; nothing where the tests pass."""
        if not any(tree.iterdir()):
            for part in ("src", "tests", "bench", "scripts"):
                shutil.copytree(self.root / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
            shutil.copy(self.root / "pyproject.toml", tree)
        original = (self.root / self.path).read_text()
        (tree / self.path).write_text(ast.unparse(mutant.tree) if mutant else original)
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", "--create-db", "--no-header", "-rfE", *OPTIONS, *tests],
                cwd=tree,
                env={**os.environ, "PYTHONPATH": f"{tree / 'src'}{os.pathsep}{tree}", "PYTHONDONTWRITEBYTECODE": "1"},
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "timeout"
        last = (done.stdout + done.stderr).strip().splitlines()[-3:]
        return " ".join(last) or "it does not begin" if done.returncode else ""


def _forked(work: Callable[[], str]) -> str:
    """What `work` says in a fork of this process, "timeout", or "died"."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            said = work() or "-"
        except BaseException as error:
            said = f"broken: {error!r}"
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    try:
        if not select.select([reader], [], [], SECONDS)[0]:
            return "timeout"
        said = os.read(reader, 65536).decode() or "died"
        return "" if said == "-" else said
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reader)


def _copy_database() -> None:
    import psycopg
    from django.db import connection, connections

    connections.close_all()
    at = connection.settings_dict
    with psycopg.connect(
        host=at["HOST"], port=at["PORT"], user=at["USER"], password=at["PASSWORD"], dbname="postgres", autocommit=True
    ) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{COPY}" WITH (FORCE)')
        admin.execute(f'CREATE DATABASE "{COPY}" TEMPLATE "{at["NAME"]}"')


def _codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield one.co_qualname, one
            yield from _codes(one)


def _functions(holder: ModuleType | type) -> Iterator[tuple[str, FunctionType]]:
    """The functions of a module and of its classes, by qualified name."""
    name = holder.__name__ if isinstance(holder, ModuleType) else holder.__module__
    for value in vars(holder).values():
        plain: Any = getattr(value, "fget", None) or getattr(value, "__wrapped__", value)
        if isinstance(plain, FunctionType) and plain.__module__ == name:
            yield plain.__qualname__, plain
        elif isinstance(value, type) and value.__module__ == name:
            yield from _functions(value)


def _forget(module: ModuleType) -> None:
    """Empty the caches of a module's functions."""
    for value in vars(module).values():
        if isinstance(value, _lru_cache_wrapper):
            value.cache_clear()
