"""Calls to WeChat Pay: the `wechatpayv3` client, rooted where the configuration says.

Source: WeChat Pay APIv3, "Native Order", "JSAPI Order", "JSAPI: Bring up Payment", "Query Order",
"Close Order", "Apply for Refund", "Query a Single Refund" (direct merchants).
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from wechatpayv3 import WeChatPay
from wechatpayv3.core import Core
from wechatpayv3.type import WeChatPayType

from highstreet.kernel import clock

from .config import WechatConfig
from .records import CURRENCY, Mismatched, RefundResult, Transaction, read_refund, read_transaction
from .signatures import Forged, verify_signature

__all__ = [
    "ProviderRefused",
    "ProviderUnavailable",
    "RefundResult",
    "Transaction",
    "WechatConfig",
    "WechatGateway",
]

Record = TypeVar("Record")
# A customer waits meanwhile; every call can be repeated.
TIMEOUT_SECONDS = 3
CHINA = timezone(timedelta(hours=8))
_TRADE_NO = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
_REFUND_NO = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}")
_ABSENT = frozenset({"ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS"})


class ProviderUnavailable(Exception):
    """No answer to trust: network, timeout, 429, 5xx or garbage. Whether it was done is unknown."""


class ProviderRefused(Exception):
    """The provider said no: nothing was done. `code` is its word (PARAM_ERROR, ORDERPAID, ...)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class _RootedCore(Core):
    """The client's core with the platform's keys from the configuration, at any root.

    The client has no option for the root and fetches certificates by itself whenever it meets an unknown
    serial; both are closed here, so that the only host ever called is `config.base_url`.
    """

    def __init__(self, config: WechatConfig) -> None:
        self._config = config
        super().__init__(  # type: ignore[no-untyped-call]
            mchid=config.mchid,
            cert_serial_no=config.merchant_serial,
            private_key=config.merchant_private_key_pem,
            apiv3_key=config.api_v3_key,
            proxy=_proxies(config.base_url),
            timeout=TIMEOUT_SECONDS,
        )
        self._gate_way = config.base_url

    def _init_certificates(self) -> None:
        """Nothing to fetch: the configuration names the keys."""

    def _update_certificates(self) -> None:
        """Never: an unknown serial is a refusal, not a reason for a call."""

    def _verify_signature(self, headers: Mapping[str, str], body: str) -> bool:
        verify_signature(headers, body.encode(), self._config, clock.wall())
        return True


class _Client(WeChatPay):
    """The client with our core; its own constructor would call production for certificates."""

    def __init__(self, config: WechatConfig) -> None:
        self._type = WeChatPayType.NATIVE
        self._mchid = config.mchid
        self._appid = config.appid
        self._notify_url = config.notify_url
        self._partner_mode = False
        self._core = _RootedCore(config)


class WechatGateway:
    """One merchant's calls. Holds no connection and no state, so threads may share it.

    All amounts are int fen, currency CNY. Every method raises `ProviderUnavailable` or `ProviderRefused`
    as they say above, and ValueError for arguments that no provider would take.
    """

    def __init__(self, config: WechatConfig) -> None:
        self.config = config
        self._client = _Client(config)

    def create_native(self, *, out_trade_no: str, description: str, amount: int, expires_at: datetime) -> str:
        """Ask for a payment by QR code; returns the `code_url` to show. The same number again is harmless."""
        fields = _order_fields(out_trade_no, description, amount, expires_at)
        answer = self._call(lambda: self._client.pay(pay_type=WeChatPayType.NATIVE, **fields))
        return _answer_text(answer, "code_url")

    def create_jsapi(
        self, *, out_trade_no: str, description: str, amount: int, expires_at: datetime, openid: str
    ) -> dict[str, str]:
        """Ask for a payment inside WeChat by `openid`; returns the signed arguments of wx.requestPayment."""
        fields = _order_fields(out_trade_no, description, amount, expires_at)
        payer = {"openid": openid}
        answer = self._call(lambda: self._client.pay(pay_type=WeChatPayType.JSAPI, payer=payer, **fields))
        package = f"prepay_id={_answer_text(answer, 'prepay_id')}"
        timestamp, nonce = str(int(clock.wall())), secrets.token_hex(16)
        signature = self._client.sign(  # type: ignore[no-untyped-call]
            [self.config.appid, timestamp, nonce, package]
        )
        return {
            "appId": self.config.appid,
            "timeStamp": timestamp,
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": str(signature),
        }

    def query(self, *, out_trade_no: str) -> Transaction | None:
        """What the provider knows of this payment, in any state; None when it never heard of it."""
        _check_number(_TRADE_NO, out_trade_no)
        try:
            answer = self._call(lambda: self._client.query(out_trade_no=out_trade_no))
        except ProviderRefused as refusal:
            if refusal.code in _ABSENT:
                return None
            raise
        found = _read(lambda: read_transaction(answer, self.config.appid, self.config.mchid))
        if found.out_trade_no != out_trade_no:
            raise ProviderUnavailable("the answer is about another order")
        return found

    def close(self, *, out_trade_no: str) -> None:
        """Make the payment impossible. Refused with ORDERPAID when too late. Closing twice is harmless."""
        _check_number(_TRADE_NO, out_trade_no)
        self._call(lambda: self._client.close(out_trade_no=out_trade_no), empty=True)

    def refund(self, *, out_trade_no: str, out_refund_no: str, amount: int, total: int, reason: str) -> RefundResult:
        """Return `amount` of the `total` paid. Usually PROCESSING; the same number again is harmless."""
        _check_number(_TRADE_NO, out_trade_no)
        _check_number(_REFUND_NO, out_refund_no)
        _check_fen(amount)
        _check_fen(total)
        money = {"refund": amount, "total": total, "currency": CURRENCY}
        answer = self._call(
            lambda: self._client.refund(
                out_refund_no=out_refund_no, amount=money, out_trade_no=out_trade_no, reason=reason[:80]
            )
        )
        found = self._refund_of(answer, out_refund_no)
        if (found.out_trade_no, found.amount) != (out_trade_no, amount):
            raise ProviderUnavailable("the answer is about another refund")
        return found

    def query_refund(self, *, out_refund_no: str) -> RefundResult | None:
        """What the provider knows of this refund; None when it never heard of it."""
        _check_number(_REFUND_NO, out_refund_no)
        try:
            answer = self._call(lambda: self._client.query_refund(out_refund_no))
        except ProviderRefused as refusal:
            if refusal.code in _ABSENT:
                return None
            raise
        return self._refund_of(answer, out_refund_no)

    def _refund_of(self, answer: dict[str, Any], out_refund_no: str) -> RefundResult:
        found = _read(lambda: read_refund(answer))
        if found.out_refund_no != out_refund_no:
            raise ProviderUnavailable("the answer is about another refund")
        return found

    def _call(self, send: Callable[[], tuple[int, str | bytes]], *, empty: bool = False) -> dict[str, Any]:
        """One call: the JSON object of a 2xx ({} when `empty` is right), or one of the two errors."""
        try:
            status, text = send()
        except Forged as forged:
            raise ProviderUnavailable(f"the answer is not the provider's: {forged.reason}") from forged
        except (requests.RequestException, UnicodeError) as error:
            raise ProviderUnavailable(type(error).__name__) from error
        if status == 204 and empty:
            return {}
        if status == 429 or not (200 <= status < 300 or 400 <= status < 500):
            raise ProviderUnavailable(f"HTTP {status}")
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ProviderUnavailable(f"HTTP {status} without JSON") from error
        if not isinstance(answer, dict):
            raise ProviderUnavailable(f"HTTP {status} without a JSON object")
        if status < 300:
            return answer
        code, message = answer.get("code"), answer.get("message")
        if not isinstance(code, str) or not code:
            raise ProviderUnavailable(f"HTTP {status} without a code")
        raise ProviderRefused(code, message if isinstance(message, str) else "")


def _read(read: Callable[[], Record]) -> Record:
    try:
        return read()
    except Mismatched as mismatch:
        raise ProviderUnavailable(f"the answer makes no sense: {mismatch.reason}") from mismatch


def _order_fields(out_trade_no: str, description: str, amount: int, expires_at: datetime) -> dict[str, Any]:
    _check_number(_TRADE_NO, out_trade_no)
    _check_fen(amount)
    if expires_at.tzinfo is None or not description.strip():
        raise ValueError("expires_at must be aware and description must not be empty")
    return {
        "out_trade_no": out_trade_no,
        "description": description[:127],
        "amount": {"total": amount, "currency": CURRENCY},
        "time_expire": expires_at.astimezone(CHINA).isoformat(timespec="seconds"),
    }


def _check_number(pattern: re.Pattern[str], number: str) -> None:
    if not pattern.fullmatch(number):
        raise ValueError(f"not a number that the provider takes: {number!r}")


def _check_fen(amount: int) -> None:
    if type(amount) is not int or amount <= 0:
        raise ValueError("an amount is a positive int of fen")


def _answer_text(answer: dict[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise ProviderUnavailable(f"the answer lacks {name}")
    return value


def _proxies(base_url: str) -> dict[str, None] | None:
    """None: as the environment says. The sandbox on this machine is never behind a proxy."""
    if urlsplit(base_url).hostname in {"127.0.0.1", "localhost", "::1"}:
        return {"http": None, "https": None}
    return None
