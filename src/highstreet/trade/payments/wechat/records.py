"""What the provider says about a payment or a refund, as values; and whether it is said about us.

Source: WeChat Pay APIv3, "Payment Notification", "Query Order", "Refund Result Notification" and
"Query a Single Refund" (direct merchants).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

CURRENCY = "CNY"
TRADE_STATES = frozenset({"SUCCESS", "REFUND", "NOTPAY", "CLOSED", "REVOKED", "USERPAYING", "PAYERROR"})
PAID_STATES = frozenset({"SUCCESS", "REFUND"})
REFUND_STATES = frozenset({"SUCCESS", "CLOSED", "PROCESSING", "ABNORMAL"})
MAX_FEN = 10**12


class Mismatched(Exception):
    """Genuine, but not a fact that we may act on: raise an alert, mark nothing. `reason` is a slug."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Transaction:
    """One payment. `amount` in fen is what was asked (`amount.total`), coupons of the provider included.

    `state` is the provider's word (`TRADE_STATES`; a payment of which something was returned is REFUND).
    `transaction_id` and `payer_openid` are "" and `success_at` (aware) None while nothing was paid.
    """

    transaction_id: str
    out_trade_no: str
    appid: str
    mchid: str
    state: str
    amount: int
    currency: str
    payer_openid: str
    success_at: datetime | None


@dataclass(frozen=True)
class RefundResult:
    """One refund: `amount` in fen of this refund; `state` one of `REFUND_STATES`."""

    refund_id: str
    out_refund_no: str
    out_trade_no: str
    state: str
    amount: int
    currency: str


def check_transaction(resource: Mapping[str, Any], expected_appid: str, expected_mchid: str) -> Transaction:
    """A decrypted payment notification that says: paid, to us, in CNY. Raises `Mismatched` otherwise.

    The caller still compares `out_trade_no`, `amount` and `currency` with its own intent.
    """
    found = read_transaction(resource, expected_appid, expected_mchid)
    if found.state != "SUCCESS":
        raise Mismatched("state")
    return found


def read_transaction(resource: Mapping[str, Any], expected_appid: str, expected_mchid: str) -> Transaction:
    """A payment in any state. An unpaid one may lack amount (0 then), payer and times; a paid one may not."""
    if _text(resource, "appid") != expected_appid:
        raise Mismatched("appid")
    if _text(resource, "mchid") != expected_mchid:
        raise Mismatched("mchid")
    state = _text(resource, "trade_state")
    if state not in TRADE_STATES:
        raise Mismatched("state")
    paid = state in PAID_STATES
    money = resource.get("amount") if paid else resource.get("amount", {"total": 0, "currency": CURRENCY})
    amount, currency = _money(money, "total", least=1 if paid else 0)
    payer = resource.get("payer")
    openid = payer.get("openid", "") if isinstance(payer, dict) else ""
    if not isinstance(openid, str) or (paid and not openid):
        raise Mismatched("payer")
    return Transaction(
        transaction_id=_text(resource, "transaction_id") if paid else "",
        out_trade_no=_text(resource, "out_trade_no"),
        appid=expected_appid,
        mchid=expected_mchid,
        state=state,
        amount=amount,
        currency=currency,
        payer_openid=openid,
        success_at=_time(resource, "success_time") if paid else None,
    )


def check_refund(resource: Mapping[str, Any], expected_mchid: str) -> RefundResult:
    """A decrypted refund notification about us, in any final state. Raises `Mismatched` otherwise.

    Refund notifications name no appid and no currency (a currency that is there must be CNY). The caller
    compares `out_refund_no`, `out_trade_no` and `amount` with its own refund.
    """
    if _text(resource, "mchid") != expected_mchid:
        raise Mismatched("mchid")
    found = _refund(resource, "refund_status")
    if found.state == "PROCESSING":
        raise Mismatched("state")
    return found


def read_refund(resource: Mapping[str, Any]) -> RefundResult:
    """The answer to a refund request or query (its state is called `status`). Raises `Mismatched`."""
    return _refund(resource, "status")


def _refund(resource: Mapping[str, Any], state_name: str) -> RefundResult:
    state = _text(resource, state_name)
    if state not in REFUND_STATES:
        raise Mismatched("state")
    amount, currency = _money(resource.get("amount"), "refund", least=1)
    return RefundResult(
        refund_id=_text(resource, "refund_id"),
        out_refund_no=_text(resource, "out_refund_no"),
        out_trade_no=_text(resource, "out_trade_no"),
        state=state,
        amount=amount,
        currency=currency,
    )


def _text(resource: Mapping[str, Any], name: str) -> str:
    value = resource.get(name)
    if not isinstance(value, str) or not value or "\x00" in value or len(value) > 128:
        raise Mismatched(name)
    return value


def _money(amount: object, name: str, *, least: int) -> tuple[int, str]:
    """(fen, currency) of an `amount` object. A bool, a float or a text of digits is not an amount."""
    if not isinstance(amount, dict):
        raise Mismatched("amount")
    value = amount.get(name)
    if type(value) is not int or not least <= value <= MAX_FEN:
        raise Mismatched("amount")
    currency = amount.get("currency", CURRENCY)
    if currency != CURRENCY:
        raise Mismatched("currency")
    return value, CURRENCY


def _time(resource: Mapping[str, Any], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(resource, name))
    except ValueError:
        raise Mismatched(name) from None
    if moment.tzinfo is None:
        raise Mismatched(name)
    return moment
