"""Whose data: a person's scopes, the lists of identifiers by which their rows are found.

A scope is a name and one or more queries, each of which may use other scopes as %(name)s arrays; packages add
to a scope that a lower one started. Scopes are read once, before anything changes, so an erasure still knows
the orders of a customer whose row is already blank. The first three are given: `customer`, `user` and `visitor`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from .. import ids

Values = dict[str, list[Any]]
Query = str | Callable[[Values], Sequence[Any]]
TRACES = "traces"

_queries: dict[str, list[Query]] = {}
_prefixes: dict[str, str] = {}


@dataclass(frozen=True)
class Person:
    """One person: the customers (a guest's orders have one each) and the users that they are.

    `visitors` are the random numbers by which a guest's browser is known to have answered.
    """

    customers: tuple[UUID, ...] = ()
    users: tuple[UUID, ...] = ()
    visitors: tuple[UUID, ...] = ()


def scope(name: str, query: Query) -> None:
    """Add a query (SQL of one column, or a function of the scopes so far) to the scope `name`."""
    found = _queries.setdefault(name, [])
    if query not in found:
        found.append(query)


def public(prefix: str, name: str) -> None:
    """Identifiers of the scope `name` are told outside as `prefix_…`: look for those in texts, too."""
    _prefixes[prefix] = name


def scopes(person: Person) -> Values:
    """Every scope of a person. `traces` are the texts (ids, keys, public ids) that betray them in a payload."""
    known: Values = {
        "customer": list(person.customers),
        "user": list(person.users),
        "visitor": list(person.visitors),
    }
    for name in list(_queries):
        _resolve(name, known, ())
    return known


def _resolve(name: str, known: Values, path: tuple[str, ...]) -> None:
    if name in known:
        return
    if name in path:
        raise ValueError(f"scopes go round in a circle: {path}")
    if name not in _queries:
        raise ValueError(f"no scope is called {name}")
    found: list[Any] = []
    if name == TRACES:
        for prefix, other in _prefixes.items():
            _resolve(other, known, (*path, name))
            found += [text for one in known[other] for text in (str(one), ids.public(prefix, one))]
    for query in _queries[name]:
        for other in re.findall(r"%\((\w+)\)s", query) if isinstance(query, str) else ():
            _resolve(other, known, (*path, name))
        found += _ask(query, known)
    known[name] = list(dict.fromkeys(found))


def _ask(query: Query, known: Values) -> list[Any]:
    if not isinstance(query, str):
        return list(query(known))
    with connection.cursor() as cursor:
        cursor.execute(query, known)
        return [row[0] for row in cursor.fetchall()]
