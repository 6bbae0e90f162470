"""F2: every public function of every rules.py, by its annotations, with what nobody should send."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import types
import typing
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from highstreet.kernel.refusal import Refused
from tests.conftest import Add

SOURCE = Path(__file__).resolve().parents[2] / "src" / "highstreet"
QUIET: Any = {
    "deadline": None,
    "database": None,
    "derandomize": True,
    "suppress_health_check": list(HealthCheck),
}
NASTY = [
    "",
    "\x00",
    "a\x00b",
    "\ud800",
    "NaN",
    "-1",
    "1e999",
    "٣",
    "İ" * 26,
    "x" * 5000,
    "%s",
    "{0}",
    "\u202e",
    "9" * 5000,
]
TEXTS = st.one_of(st.sampled_from(NASTY), st.text(st.characters(exclude_categories=()), max_size=60))
WHOLE = st.one_of(st.sampled_from([0, -1, 1, 99, 2**31, 2**63, -(2**63), 10**30]), st.integers(-(10**30), 10**30))
REAL = st.one_of(st.sampled_from([0.0, -0.0, 1e308, -1e308, 5e-324]), st.floats())
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
ZONES = st.sampled_from([ZoneInfo("Asia/Shanghai"), ZoneInfo("America/Sao_Paulo"), ZoneInfo("Asia/Kathmandu")])
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    int: WHOLE,
    float: REAL,
    str: TEXTS,
    bytes: st.binary(max_size=60),
    bool: st.booleans(),
    object: st.one_of(WHOLE, REAL, TEXTS, st.none(), st.binary(max_size=5)),
    type(None): st.none(),
    UUID: st.uuids(),
    datetime: TIMES,
    date: st.dates(),
    timedelta: st.timedeltas(timedelta(days=-4000), timedelta(days=4000)),
    ZoneInfo: ZONES,
    tzinfo: ZONES,
}


def modules() -> Iterator[types.ModuleType]:
    for path in sorted([*SOURCE.rglob("rules.py"), *SOURCE.rglob("rules/*.py")]):
        if "/tests/" not in str(path):
            parts = path.relative_to(SOURCE.parent).with_suffix("").parts
            yield importlib.import_module(".".join(part for part in parts if part != "__init__"))


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    for module in modules():
        for name, value in vars(module).items():
            if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_"):
                yield f"{module.__name__.removeprefix('highstreet.')}.{name}", value


FUNCTIONS = dict(functions())


def strategy(kind: Any) -> st.SearchStrategy[Any]:
    """Values of an annotation, right in type only."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind in PLAIN:
        return PLAIN[kind]
    if isinstance(kind, typing.TypeVar) or kind is Any:
        return PLAIN[object]
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(strategy(one) for one in inner))
    if origin is typing.Literal:
        return st.sampled_from(inner)
    if origin is tuple:
        if inner[-1] is Ellipsis:
            return st.lists(strategy(inner[0]), max_size=6).map(tuple)
        return st.tuples(*(strategy(one) for one in inner))
    if origin is not None and issubclass(origin, Callable):  # type: ignore[arg-type]
        return st.just(lambda *told: 1.0)
    if origin is not None and len(inner) == 2:
        return st.dictionaries(strategy(inner[0]), strategy(inner[1]), max_size=5)
    if origin is not None and issubclass(origin, set | frozenset):
        return st.sets(strategy(inner[0]), max_size=6)
    if origin is not None:
        return st.lists(strategy(inner[0]), max_size=6)
    if getattr(kind, "_is_protocol", False):
        return st.builds(_stand_in(kind))
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return st.builds(kind, **{one.name: strategy(hints[one.name]) for one in dataclasses.fields(kind)})  # type: ignore[arg-type]
    raise AssertionError(f"no values for {kind}")


def _stand_in(kind: Any) -> Callable[[], Any]:
    """A plain object with a protocol's attributes: the terms that a retailer may set."""
    from highstreet.supply.organisations.rules import Terms

    return Terms


def arguments(function: Callable[..., Any]) -> st.SearchStrategy[dict[str, Any]]:
    hints = typing.get_type_hints(function)
    return st.fixed_dictionaries({name: strategy(hints[name]) for name in inspect.signature(function).parameters})


# What these are given comes from our own tables, whose CHECKs bound it, or from constants of the pages: no request
# reaches them with a number of its own. Beyond those bounds arithmetic fails as arithmetic does.
INSIDE: dict[str, tuple[type[Exception], ...]] = {
    "delivery.couriers.rules.answer": (OverflowError,),
    "delivery.couriers.rules.minute_of": (OverflowError,),
    "delivery.dispatch.rules.walk": (KeyError,),
    "delivery.fleets.rules.meaning": (KeyError,),
    "delivery.fleets.rules.word": (KeyError,),
    "delivery.fleets.rules.is_news": (KeyError,),
    "delivery.fleets.rules.wait": (IndexError, OverflowError),
    "delivery.promise.rules.spread_seconds": (KeyError,),
    "delivery.promise.rules.beliefs": (KeyError,),
    "delivery.promise.rules.bounded": (KeyError, OverflowError),
    "delivery.promise.rules.pace": (ZeroDivisionError, OverflowError),
    "delivery.promise.rules.offer": (OverflowError,),
    "delivery.promise.rules.pickup": (OverflowError,),
    "delivery.promise.rules.courier_minutes": (OverflowError,),
    "delivery.promise.rules.prep_minutes": (OverflowError,),
    "delivery.promise.rules.capacity": (ArithmeticError,),
    "delivery.promise.rules.residual": (IndexError,),
    "delivery.promise.rules.slots.windows": (OverflowError,),
    "delivery.promise.rules.slots.quarter": (OverflowError,),
    "delivery.promise.rules.slots.delivered": (OverflowError,),
    "delivery.promise.rules.begins": (OverflowError,),
    "delivery.promise.rules.in_hand": (OverflowError,),
    "delivery.promise.rules.waits": (OverflowError,),
    "delivery.dispatch.rules.pay": (OverflowError,),
    "delivery.dispatch.rules.schedule": (OverflowError,),
    "delivery.dispatch.rules.lapse_seconds": (ArithmeticError,),
    "delivery.dispatch.rules.arrival": (ArithmeticError,),
    "delivery.dispatch.rules.peaks.bins": (ArithmeticError, ValueError),
    "delivery.dispatch.rules.peaks.delays": (ArithmeticError, ValueError),
    "delivery.dispatch.rules.peaks.lost": (ArithmeticError, ValueError),
    "delivery.dispatch.rules.peaks.shared": (ArithmeticError, ValueError),
    "delivery.dispatch.rules.peaks.together": (IndexError,),
    "growth.partners.rules.next_try": (IndexError, OverflowError),
    "supply.stores.rules.next_opening": (OverflowError,),
    "supply.stores.rules.closing": (OverflowError,),
    "supply.stores.rules.is_open": (OverflowError,),
    "trade.payments.rules.provider_expiry": (OverflowError,),
    "trade.orders.rules.still_wanted": (OverflowError,),
    "web.rules.take": (ArithmeticError,),
    "web.shop.rules.around": (ArithmeticError,),
    "web.shop.rules.over": (ArithmeticError,),
    "web.shop.rules.line": (ArithmeticError,),
    "web.ui.rules.minutes": (OverflowError,),
}
# The importer's refusal, which carries file and line to the command line; its rows have the columns that it checked.
FILE = "supply.catalog.rules.rows"


def hurt(name: str, function: Callable[..., Any], examples: int) -> str:
    """The first exception that is no refusal, with the arguments that led to it; "" if there is none."""
    allowed: tuple[type[Exception], ...] = (Refused, ValueError, *INSIDE.get(name, ()))
    if name.startswith(FILE):
        allowed = (*allowed, importlib.import_module(f"highstreet.{FILE}").BadFile, KeyError)
    given_last: dict[str, Any] = {}

    @settings(max_examples=examples, phases=[Phase.generate], **QUIET)
    @given(arguments(function))
    def tried(values: dict[str, Any]) -> None:
        given_last.update(values)
        try:
            function(**values)
        except allowed:
            pass

    try:
        tried()
    except Exception as error:
        return f"{name}: {type(error).__name__} {error} with {given_last}"[:600]
    return ""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("examples", [12, pytest.param(500, marks=pytest.mark.long)])
def test_rules_refuse_and_never_break(examples: int, row: Add) -> None:
    """`Refused`, or the ValueError that says an argument is none; anything else would be a 5xx at the edge."""
    wrong = [said for name, function in FUNCTIONS.items() if (said := hurt(name, function, examples))]
    assert wrong == [], "\n\n".join(wrong)
    row("F2", f"{len(FUNCTIONS)} rules × hostile values", n=len(FUNCTIONS) * examples, refused=0, seed="derandomised")


def test_a_rule_that_breaks_is_found() -> None:
    """The control: one that believes its text is a number, and one that believes its list has a first."""

    def first(texts: list[str]) -> str:
        return texts[0]

    def half(text: str) -> bytes:
        return text.encode("ascii", "surrogateescape")[:1] if text else [][0]

    assert "IndexError" in hurt("first", first, 30) and "IndexError" in hurt("half", half, 60)


def test_what_may_fail_inside_still_exists() -> None:
    assert set(FUNCTIONS) >= set(INSIDE)
