"""Who acts, and what they may. Every action and every route names a permission, PUBLIC or SYSTEM."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ParamSpec, Protocol, TypeVar, cast
from uuid import UUID

from django.db import connection
from django.http import HttpRequest

from . import failpoints, trail
from .ports import Port
from .refusal import Refused
from .refusals import FORBIDDEN, NOT_SIGNED_IN, OVER_LIMIT, SECOND_FACTOR_NEEDED
from .transactions import anew

P = ParamSpec("P")
R = TypeVar("R")

PUBLIC = "public"
SYSTEM = "system"


@dataclass(frozen=True)
class Actor:
    """Whoever causes a thing. Built at the edge (session, token, job) and passed down by keyword.

    What it may is its grants: each of `permissions` (from a role of people.staff, or from the scopes of the API key
    `key_id`), in the organisation's stores `store_ids` (None: all of them), up to `limits` (permission -> the most,
    in the permission's unit; a permission without one has no limit). `cart_key` and `order_keys` are what a guest
    holds, `sign_in` names the session or token behind the request. `lacks` says what has to be done before a role
    counts: "second_factor", or nothing.
    `consents` is what they said last, +purpose or -purpose (people.customers).
    """

    kind: str = "guest"
    user_id: UUID | None = None
    key_id: UUID | None = None
    customer_id: UUID | None = None
    employee_id: UUID | None = None
    courier_id: UUID | None = None
    organisation_id: UUID | None = None
    store_ids: frozenset[UUID] | None = frozenset()
    permissions: frozenset[str] = frozenset()
    limits: Mapping[str, int] = field(default_factory=dict, hash=False)
    lacks: str = ""
    sign_in: str = ""
    cart_key: str = ""
    order_keys: frozenset[str] = frozenset()
    consents: frozenset[str] = frozenset()
    language: str = "zh-hans"

    @property
    def signed_in(self) -> bool:
        return self.user_id is not None or self.key_id is not None

    def may(self, permission: str) -> bool:
        if permission == PUBLIC or self.kind == SYSTEM:
            return True
        return permission in self.permissions

    def at_store(self, store_id: UUID) -> bool:
        return self.kind == SYSTEM or self.store_ids is None or store_id in self.store_ids

    @property
    def name(self) -> str:
        """For histories and logs: kind and id, never a person's name."""
        known = self.user_id or self.key_id
        return f"{self.kind}:{known}" if known else self.kind


NOBODY = Actor()
THE_SYSTEM = Actor(kind=SYSTEM, store_ids=None)


class Limits(Protocol):
    """Knows the words of limits, and who has a higher one (people.staff)."""

    def words(self, permission: str, most: int) -> str:
        """A limit as people read it: with its unit."""

    def who(self, organisation_id: UUID | None, permission: str, value: int) -> str:
        """The roles of an organisation that may do it up to `value`."""


limits: Port[Limits] = Port("kernel.limits")


def require(actor: Actor, permission: str) -> None:
    """Refuse unless `actor` may."""
    if actor.may(permission):
        return
    if actor.lacks:
        raise Refused(SECOND_FACTOR_NEEDED)
    raise Refused(FORBIDDEN if actor.signed_in else NOT_SIGNED_IN)


def within(actor: Actor, permission: str, value: int) -> None:
    """Refuse OVER_LIMIT when `value` (in the permission's unit) is more than the actor's limit, saying who may."""
    most = None if actor.kind == SYSTEM else actor.limits.get(permission)
    if most is None or value <= most:
        return
    said = limits().words(permission, most)
    raise Refused(OVER_LIMIT, limit=said, who=limits().who(actor.organisation_id, permission, value), most=most)


def action(permission: str, *, trailed: bool | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """An action: keyword-only, names its permission, runs in one transaction of its own or its caller's.

    What needs a permission of the trade's is written to the audit trail in that transaction (kernel.trail);
    `trailed` says otherwise for one action: True has it write what staff, keys and the platform do by it.

    An action within an action takes no savepoint (two round trips each): when it refuses, both have to end. A caller
    that goes on after a refusal opens `transaction.atomic()` around it, else the next query fails loudly.
    """

    everybody = permission not in (PUBLIC, SYSTEM, *trail.UNTRAILED)

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        name = f"{function.__module__.removeprefix('highstreet.').partition('.actions')[0]}.{function.__name__}"

        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            actor = cast(Actor, kwargs["actor"])
            require(actor, permission)

            def work() -> R:
                result = function(*args, **kwargs)
                if everybody if trailed is None else trailed and actor.kind in trail.WORKING:
                    trail.write(actor, name, permission, kwargs, result)
                failpoints.reach("action", function.__qualname__)
                return result

            return anew(work)

        run.__policy__ = permission  # type: ignore[attr-defined]
        return cast(Callable[P, R], run)

    return wrap


def outside(permission: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """An action that calls somebody else's service: it names its permission and must not run inside a transaction.

    A transaction would keep rows locked for as long as the network takes, and its rollback would forget what the
    other side has done.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            require(cast(Actor, kwargs["actor"]), permission)
            blocks = connection.atomic_blocks
            if blocks and not getattr(blocks[-1], "_from_testcase", False):
                raise RuntimeError(f"{function.__qualname__} calls a service: not inside a transaction")
            return function(*args, **kwargs)

        run.__policy__ = permission  # type: ignore[attr-defined]
        return cast(Callable[P, R], run)

    return wrap


def route(permission: str) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """A page or an API operation: names its permission, which is checked before anything is read."""

    def wrap(function: Callable[..., R]) -> Callable[..., R]:
        @functools.wraps(function)
        def run(request: Any, *args: Any, **kwargs: Any) -> R:
            require(request.actor, permission)
            return function(request, *args, **kwargs)

        # The API's framework reads annotations, which are strings that only `function`'s module can resolve.
        run.__signature__ = inspect.signature(function, eval_str=True)  # type: ignore[attr-defined]
        run.__policy__ = permission  # type: ignore[attr-defined]
        return cast(Callable[..., R], run)

    return wrap


def actor_of(request: HttpRequest) -> Actor:
    """Who sent the request (set by the middleware)."""
    return cast(Actor, getattr(request, "actor", NOBODY))
