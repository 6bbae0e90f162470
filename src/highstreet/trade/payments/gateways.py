"""Providers by name. A gateway speaks a provider's protocol and answers in the words below.

Unknown outcomes raise `ProviderUnavailable`, a no `ProviderRefused`; a message that is not the provider's
raises `Forged`, a genuine one that is not about us `Mismatched`. None of them touches the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from threading import Lock
from typing import Any, Protocol

from django.conf import settings

from highstreet.kernel import clock
from highstreet.kernel.breaker import Breaker
from highstreet.kernel.refusal import Refused

from .refusals import UNKNOWN_PROVIDER
from .rules import CASH, WECHAT
from .wechat import gateway as wechat_calls
from .wechat import notification as wechat_callbacks
from .wechat.config import WechatConfig
from .wechat.gateway import ProviderRefused, ProviderUnavailable
from .wechat.notification import Forged, Mismatched

__all__ = [
    "Asked",
    "Forged",
    "Gateway",
    "Mismatched",
    "Notice",
    "Payment",
    "ProviderRefused",
    "ProviderUnavailable",
    "Repayment",
    "Started",
    "gateway",
    "register",
]


@dataclass(frozen=True)
class Asked:
    """A payment as we ask the provider for it; `expires_at` by the wall clock."""

    out_trade_no: str
    description: str
    amount: int
    currency: str
    expires_at: datetime
    openid: str = ""


@dataclass(frozen=True)
class Started:
    """How the shopper pays: `code_url` for a QR code, or the arguments of the provider's own window."""

    code_url: str = ""
    jsapi: dict[str, str] | None = None


@dataclass(frozen=True)
class Payment:
    """What a provider says of a payment: `state` paid, open or closed."""

    out_trade_no: str
    provider_id: str
    state: str
    amount: int
    currency: str


@dataclass(frozen=True)
class Repayment:
    """What a provider says of a refund: `state` processing, succeeded or failed."""

    out_refund_no: str
    out_trade_no: str
    provider_id: str
    state: str
    amount: int
    currency: str


@dataclass(frozen=True)
class Notice:
    """A verified callback; `resource` is kept and read by `Gateway.read`."""

    event_id: str
    event_type: str
    resource: dict[str, Any]


class Gateway(Protocol):
    networked: bool

    def start(self, asked: Asked) -> Started: ...

    def query(self, out_trade_no: str) -> Payment | None: ...

    def close(self, out_trade_no: str) -> None: ...

    def refund(
        self, *, out_trade_no: str, out_refund_no: str, amount: int, total: int, currency: str, reason: str
    ) -> Repayment: ...

    def query_refund(self, out_refund_no: str) -> Repayment | None: ...

    def verify(self, headers: Mapping[str, str], body: bytes) -> Notice: ...

    def read(self, event_type: str, resource: Mapping[str, Any]) -> Payment | Repayment | None:
        """What a kept notice says; None for kinds that mean nothing to us. Raises `Mismatched`."""
        ...


_PAYMENTS = {"SUCCESS": "paid", "REFUND": "paid", "CLOSED": "closed", "REVOKED": "closed"}
_REFUNDS = {"SUCCESS": "succeeded", "PROCESSING": "processing"}


class Wechat:
    """WeChat Pay v3; see `wechat`."""

    networked = True

    def __init__(self, config: WechatConfig) -> None:
        self.config = config
        self.calls = wechat_calls.WechatGateway(config)

    def start(self, asked: Asked) -> Started:
        fields: dict[str, Any] = {
            "out_trade_no": asked.out_trade_no,
            "description": asked.description,
            "amount": asked.amount,
            "expires_at": asked.expires_at,
        }
        if asked.openid:
            return Started(jsapi=self.calls.create_jsapi(openid=asked.openid, **fields))
        return Started(code_url=self.calls.create_native(**fields))

    def query(self, out_trade_no: str) -> Payment | None:
        found = self.calls.query(out_trade_no=out_trade_no)
        return _payment(found) if found else None

    def close(self, out_trade_no: str) -> None:
        self.calls.close(out_trade_no=out_trade_no)

    def refund(
        self, *, out_trade_no: str, out_refund_no: str, amount: int, total: int, currency: str, reason: str
    ) -> Repayment:
        return _repayment(
            self.calls.refund(
                out_trade_no=out_trade_no, out_refund_no=out_refund_no, amount=amount, total=total, reason=reason
            )
        )

    def query_refund(self, out_refund_no: str) -> Repayment | None:
        found = self.calls.query_refund(out_refund_no=out_refund_no)
        return _repayment(found) if found else None

    def verify(self, headers: Mapping[str, str], body: bytes) -> Notice:
        told = wechat_callbacks.verify(headers, body, self.config, clock.wall())
        return Notice(told.id, told.event_type, told.resource)

    def read(self, event_type: str, resource: Mapping[str, Any]) -> Payment | Repayment | None:
        if event_type.startswith("TRANSACTION."):
            return _payment(wechat_callbacks.check_transaction(resource, self.config.appid, self.config.mchid))
        if event_type.startswith("REFUND."):
            return _repayment(wechat_callbacks.check_refund(resource, self.config.mchid))
        return None


def _payment(found: wechat_calls.Transaction) -> Payment:
    return Payment(
        found.out_trade_no,
        found.transaction_id,
        _PAYMENTS.get(found.state, "open"),
        found.amount,
        found.currency,
    )


def _repayment(found: wechat_calls.RefundResult) -> Repayment:
    return Repayment(
        found.out_refund_no,
        found.out_trade_no,
        found.refund_id,
        _REFUNDS.get(found.state, "failed"),
        found.amount,
        found.currency,
    )


class Cash:
    """The counter and the door: nothing to call. Money is taken by `actions.capturing` and handed back by the store."""

    networked = False

    def start(self, asked: Asked) -> Started:
        return Started()

    def query(self, out_trade_no: str) -> Payment | None:
        return None

    def close(self, out_trade_no: str) -> None:
        return None

    def refund(
        self, *, out_trade_no: str, out_refund_no: str, amount: int, total: int, currency: str, reason: str
    ) -> Repayment:
        return Repayment(out_refund_no, out_trade_no, "", "succeeded", amount, currency)

    def query_refund(self, out_refund_no: str) -> Repayment | None:
        return None

    def verify(self, headers: Mapping[str, str], body: bytes) -> Notice:
        raise Forged("no_callbacks")

    def read(self, event_type: str, resource: Mapping[str, Any]) -> Payment | Repayment | None:
        return None


_registered: dict[str, Gateway] = {name: Cash() for name in CASH}


def register(name: str, implementation: Gateway | None) -> None:
    """Name a provider's gateway, or forget it (None)."""
    if implementation is None:
        _registered.pop(name, None)
    else:
        _registered[name] = implementation


def gateway(name: str) -> Gateway:
    """The gateway of a provider. WeChat's is made on first use from `settings.WECHAT_CONFIG`."""
    if name in _registered:
        return _registered[name]
    if name == WECHAT and settings.WECHAT_CONFIG:
        return _wechat(settings.WECHAT_CONFIG)
    raise Refused(UNKNOWN_PROVIDER)


def breaker_of(service: Gateway) -> Breaker:
    """What stands before a provider while a customer waits: five threads of a process may wait for it, no more."""
    with _lock:
        # Kept with the service, so that its number is nobody else's.
        return _breakers.setdefault(id(service), (service, Breaker(at_once=5)))[1]


_lock = Lock()
_breakers: dict[int, tuple[Gateway, Breaker]] = {}


@lru_cache(maxsize=4)
def _wechat(path: str) -> Gateway:
    return Wechat(WechatConfig.load(path))
