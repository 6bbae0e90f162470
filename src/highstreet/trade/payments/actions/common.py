"""What the actions share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from django.db import connection

from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.policy import Actor, require

from .. import ports
from ..models import PaymentIntent
from ..rules import ACCOUNTS

P = ParamSpec("P")
R = TypeVar("R")


def outside(permission: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """An action that calls a provider: it names its permission and must not run inside a transaction.

    A transaction would keep rows locked for as long as the network takes, and its rollback would forget
    what the provider has done.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            require(cast(Actor, kwargs["actor"]), permission)
            blocks = connection.atomic_blocks
            if blocks and not getattr(blocks[-1], "_from_testcase", False):
                raise RuntimeError(f"{function.__qualname__} calls a provider: not inside a transaction")
            return function(*args, **kwargs)

        run.__policy__ = permission  # type: ignore[attr-defined]
        return cast(Callable[P, R], run)

    return wrap


def lock_payable(intent: PaymentIntent) -> None:
    if ports.payable_lock.filled:
        ports.payable_lock()(intent.payable)


def money_account(intent: PaymentIntent) -> AccountRef:
    """Where the provider's (or the till's) money of this payment is booked."""
    return AccountRef(intent.organisation_id, ACCOUNTS[intent.provider], intent.currency)


def account(intent: PaymentIntent, code: str) -> AccountRef:
    return AccountRef(intent.organisation_id, code, intent.currency)


def topics(intent: PaymentIntent) -> list[str]:
    return [f"order:{intent.payable}"]
