"""A merchant at a pretended provider, an order that waits for money, and who is told about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from highstreet.kernel import audit, clock, ids, ledger
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.models import Journal
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.supply.organisations.models import Organisation
from highstreet.trade.payments import actions, gateways
from highstreet.trade.payments.gateways import (
    Asked,
    Notice,
    Payment,
    ProviderRefused,
    ProviderUnavailable,
    Repayment,
    Started,
)
from highstreet.trade.payments.models import PaymentIntent
from highstreet.trade.payments.sandbox import forge
from highstreet.trade.payments.sandbox.crypto import SandboxKeys


@dataclass
class Told:
    """Stands for `trade.orders`."""

    captures: list[tuple[UUID, int]] = field(default_factory=list)
    refunds: list[tuple[UUID, int]] = field(default_factory=list)

    def captured(self, *, intent_id: UUID, payable: UUID, amount: int, currency: str) -> None:
        self.captures.append((payable, amount))

    def refund_done(self, *, payable: UUID, amount: int) -> None:
        self.refunds.append((payable, amount))


@dataclass
class Provider(gateways.Wechat):
    """Verifies and reads as WeChat's gateway does; its answers to calls are ours to set."""

    keys: SandboxKeys
    networked: bool = True
    down: bool = False
    says_no: str = ""
    payments: dict[str, Payment] = field(default_factory=dict)
    refunds: dict[str, Repayment] = field(default_factory=dict)
    refund_state: str = "processing"
    calls_made: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.config = self.keys.config

    def _call(self, name: str) -> None:
        self.calls_made.append(name)
        if self.down:
            raise ProviderUnavailable("timeout")
        if self.says_no:
            raise ProviderRefused(self.says_no, "no")

    def start(self, asked: Asked) -> Started:
        self._call("start")
        if asked.openid:
            return Started(jsapi={"package": f"prepay_id={asked.out_trade_no}"})
        return Started(code_url=f"weixin://wxpay/{asked.out_trade_no}")

    def query(self, out_trade_no: str) -> Payment | None:
        if self.down:
            self._call("query")
        self.calls_made.append("query")
        return self.payments.get(out_trade_no)

    def close(self, out_trade_no: str) -> None:
        self._call("close")

    def refund(
        self, *, out_trade_no: str, out_refund_no: str, amount: int, total: int, currency: str, reason: str
    ) -> Repayment:
        self._call("refund")
        return self.refunds.setdefault(
            out_refund_no,
            Repayment(out_refund_no, out_trade_no, f"r{out_refund_no[:20]}", self.refund_state, amount, currency),
        )

    def query_refund(self, out_refund_no: str) -> Repayment | None:
        self._call("query_refund")
        return self.refunds.get(out_refund_no)

    def paid(self, intent: PaymentIntent, **changes: Any) -> None:
        """Let a query say that it was paid."""
        facts: dict[str, Any] = {
            "out_trade_no": intent.out_trade_no,
            "provider_id": f"420{intent.out_trade_no[:20]}",
            "state": "paid",
            "amount": intent.amount,
            "currency": intent.currency,
            **changes,
        }
        self.payments[intent.out_trade_no] = Payment(**facts)


def an_intent(amount: int = 2590, provider: str = "wechat", payable: UUID | None = None) -> PaymentIntent:
    organisation, _ = Organisation.objects.get_or_create(
        code="retailer", defaults={"kind": "brand", "name_zh": "零售", "name_en": "Retailer"}
    )
    view = actions.create_intent(
        actor=THE_SYSTEM,
        payable=payable or ids.new_id(),
        organisation_id=organisation.pk,
        provider=provider,
        amount=amount,
        currency="CNY",
        description="Highstreet 1",
        expires_at=clock.now() + timedelta(minutes=10),
    )
    return PaymentIntent.objects.get(pk=view.id)


def notice(keys: SandboxKeys, intent: PaymentIntent, **changes: Any) -> tuple[Mapping[str, str], bytes]:
    """A genuine notification that `intent` was paid, with `changes` in what it says."""
    money = {"total": intent.amount, "currency": "CNY", "payer_total": intent.amount, "payer_currency": "CNY"}
    facts = {
        "out_trade_no": intent.out_trade_no,
        "transaction_id": f"420{intent.out_trade_no[:20]}",
        "amount": money,
        **changes,
    }
    return forge.genuine(keys, forge.transaction_resource(keys.config, **facts), clock.wall())


def refund_notice(keys: SandboxKeys, **facts: Any) -> tuple[Mapping[str, str], bytes]:
    resource = {
        "mchid": keys.config.mchid,
        "transaction_id": "4200",
        "refund_id": "5030",
        "refund_status": "SUCCESS",
        "success_time": "2026-11-24T12:00:00+08:00",
        "user_received_account": "零钱",
        **facts,
    }
    return forge.genuine(keys, resource, clock.wall(), "REFUND.SUCCESS")


def receive(headers: Mapping[str, str], body: bytes) -> UUID:
    return actions.receive_notification(actor=THE_SYSTEM, provider="wechat", headers=headers, body=body)


def pay(keys: SandboxKeys, intent: PaymentIntent) -> None:
    actions.apply_event(actor=THE_SYSTEM, event_id=receive(*notice(keys, intent)))
    intent.refresh_from_db()


def balance(intent: PaymentIntent, code: str) -> int:
    return ledger.balance(AccountRef(intent.organisation_id, code, intent.currency))


def journals(kind: str) -> int:
    return Journal.objects.filter(kind=kind).count()


def assert_clean() -> None:
    broken = [finding for finding in audit.run() if finding.broken]
    assert not broken, broken


__all__ = ["Notice", "Provider", "Told"]
