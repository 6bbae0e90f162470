"""What the provider decides: orders, payments, refunds. No HTTP here.

Source: WeChat Pay APIv3, "Native Order", "JSAPI Order", "Query Order", "Close Order", "Apply for Refund",
"Query a Single Refund", with their tables of error codes.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from .crypto import SandboxKeys
from .faults import Faults
from .notify import Notifier
from .store import Row, Store

CHINA = timezone(timedelta(hours=8))
REFUND_TAKES_SECONDS = 3
_TRADE_NO = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
_REFUND_NO = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}")
_URL = re.compile(r"https?://[^\s?#]{1,240}")
MAX_FEN = 10_000_000_00


class ApiError(Exception):
    """An answer that says no: HTTP status, code and message as in the documents."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code, self.message = status, code, message


class Provider:
    """One merchant's account. `now` is business time (aware), `wall` unix seconds; methods never wait."""

    def __init__(
        self,
        store: Store,
        keys: SandboxKeys,
        faults: Faults,
        notifier: Notifier,
        now: Callable[[], datetime],
        wall: Callable[[], float],
        *,
        speed: float = 1.0,
    ) -> None:
        self._store, self._keys, self._faults, self._notifier = store, keys, faults, notifier
        self._now, self._wall, self._speed = now, wall, speed

    def create(self, kind: str, asked: Mapping[str, Any]) -> dict[str, str]:
        """Place an order; `kind` is native or jsapi. The same order again gets the same answer."""
        row = self._read_order(kind, asked)
        known = self._current(self._store.order(row["out_trade_no"]))
        if known is None:
            row["prepay_id"] = f"wx{self._now():%d%H%M%S}{secrets.token_hex(13)}"
            row["code"] = secrets.token_urlsafe(7).replace("-", "A").replace("_", "z")
            self._store.add_order(row)
            known = row
        elif known["state"] == "CLOSED":
            raise ApiError(400, "ORDERCLOSED", "该订单已关闭")
        elif known["state"] != "NOTPAY":
            raise ApiError(400, "ORDERPAID", "该订单已支付")
        elif any(known[name] != row[name] for name in ("kind", "amount", "description", "openid")):
            raise ApiError(403, "OUT_TRADE_NO_USED", "商户订单号重复")
        if kind == "jsapi":
            return {"prepay_id": known["prepay_id"]}
        return {"code_url": f"weixin://wxpay/bizpayurl?pr={known['code']}"}

    def query(self, out_trade_no: str) -> dict[str, Any]:
        return self._described(self._order(out_trade_no))

    def query_transaction(self, transaction_id: str) -> dict[str, Any]:
        order = self._store.order_by_transaction(transaction_id)
        if order is None:
            raise ApiError(404, "ORDER_NOT_EXIST", "订单不存在")
        return self._described(order)

    def close(self, out_trade_no: str) -> None:
        order = self._order(out_trade_no)
        if order["state"] == "CLOSED":
            return
        if not self._store.move_order(out_trade_no, "NOTPAY", "CLOSED"):
            raise ApiError(400, "ORDERPAID", "该订单已支付")

    def find(self, code: str) -> Row | None:
        """The order of a `prepay_id` or QR code, as it stands now."""
        return self._current(self._store.order_by_code(code))

    def pay(self, out_trade_no: str, openid: str = "") -> dict[str, Any]:
        """The customer confirms. Returns the paid transaction; refuses what is closed, expired or paid."""
        order = self._order(out_trade_no)
        payer = openid or order["openid"] or f"o{secrets.token_hex(14)[:27]}"
        transaction_id = f"42000{self._now():%Y%m%d}{secrets.randbelow(10**15):015d}"
        paid_at = self._now().astimezone(CHINA).isoformat(timespec="seconds")
        if not self._store.mark_paid(out_trade_no, transaction_id, payer, paid_at):
            closed = order["state"] == "CLOSED"
            raise ApiError(400, "ORDERCLOSED" if closed else "ORDERPAID", "该订单已关闭" if closed else "该订单已支付")
        paid = self._described(self._order(out_trade_no))
        self._notifier.enqueue(
            order["notify_url"], out_trade_no, "TRANSACTION.SUCCESS", paid, self._now().astimezone(CHINA)
        )
        return paid

    def refund(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Begin a refund; the same number again gets the same refund."""
        number = _matching(asked, "out_refund_no", _REFUND_NO)
        order = self._refunded_order(asked)
        money = asked.get("amount")
        if not isinstance(money, dict) or money.get("currency") != "CNY":
            raise ApiError(400, "PARAM_ERROR", "amount.currency")
        amount, total = _fen(money, "refund"), _fen(money, "total")
        known = self._store.refund(number)
        if known is not None:
            if (known["out_trade_no"], known["amount"]) != (order["out_trade_no"], amount):
                raise ApiError(400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致")
            return self._refund_described(known)
        if order["state"] not in ("SUCCESS", "REFUND"):
            raise ApiError(400, "INVALID_REQUEST", "订单未支付")
        if total != order["amount"]:
            raise ApiError(400, "INVALID_REQUEST", "订单金额与支付金额不一致")
        if self._store.refunded_total(order["out_trade_no"]) + amount > order["amount"]:
            raise ApiError(400, "INVALID_REQUEST", "退款总金额大于支付金额")
        if self._faults.not_enough:
            raise ApiError(403, "NOT_ENOUGH", "基本账户余额不足")
        self._store.add_refund(
            {
                "out_refund_no": number,
                "refund_id": f"50300{self._now():%Y%m%d}{secrets.randbelow(10**15):015d}",
                "out_trade_no": order["out_trade_no"],
                "amount": amount,
                "reason": str(asked.get("reason", ""))[:80],
                "notify_url": str(asked.get("notify_url") or order["notify_url"]),
                "due_wall": self._wall() + REFUND_TAKES_SECONDS / self._speed,
                "create_time": self._now().astimezone(CHINA).isoformat(timespec="seconds"),
            }
        )
        self._store.move_order(order["out_trade_no"], "SUCCESS", "REFUND")
        return self.query_refund(number)

    def query_refund(self, out_refund_no: str) -> dict[str, Any]:
        found = self._store.refund(out_refund_no)
        if found is None:
            raise ApiError(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
        return self._refund_described(found)

    def settle_refunds(self) -> None:
        """Finish the refunds that are due and tell the merchant."""
        for row in self._store.refunds_due(self._wall()):
            done_at = self._now().astimezone(CHINA)
            if self._store.finish_refund(row["out_refund_no"], done_at.isoformat(timespec="seconds")):
                told = self.query_refund(row["out_refund_no"])
                told["refund_status"] = told.pop("status")
                told["mchid"] = self._keys.config.mchid
                # The document's notification has neither of the two.
                del told["amount"]["currency"], told["create_time"]
                self._notifier.enqueue(row["notify_url"], row["out_refund_no"], "REFUND.SUCCESS", told, done_at)

    def _current(self, order: Row | None) -> Row | None:
        """The order after its time ran out, if it did."""
        expired = order is not None and self._wall() >= order["expires_unix"]
        if order is not None and expired and order["state"] == "NOTPAY":
            self._store.move_order(order["out_trade_no"], "NOTPAY", "CLOSED")
            return self._store.order(order["out_trade_no"])
        return order

    def _order(self, out_trade_no: str) -> Row:
        order = self._current(self._store.order(out_trade_no))
        if order is None:
            raise ApiError(404, "ORDER_NOT_EXIST", "订单不存在")
        return order

    def _refunded_order(self, asked: Mapping[str, Any]) -> Row:
        out_trade_no, transaction_id = asked.get("out_trade_no"), asked.get("transaction_id")
        order: Row | None = None
        if isinstance(transaction_id, str):
            order = self._store.order_by_transaction(transaction_id)
        elif isinstance(out_trade_no, str):
            order = self._current(self._store.order(out_trade_no))
        else:
            raise ApiError(400, "PARAM_ERROR", "out_trade_no")
        if order is None:
            raise ApiError(404, "RESOURCE_NOT_EXISTS", "订单不存在")
        return order

    def _read_order(self, kind: str, asked: Mapping[str, Any]) -> Row:
        if (asked.get("appid"), asked.get("mchid")) != (self._keys.config.appid, self._keys.config.mchid):
            raise ApiError(400, "APPID_MCHID_NOT_MATCH", "appid 和 mchid 不匹配")
        money, description = asked.get("amount"), asked.get("description")
        if not isinstance(money, dict) or money.get("currency", "CNY") != "CNY":
            raise ApiError(400, "PARAM_ERROR", "amount")
        if not isinstance(description, str) or not 1 <= len(description) <= 127:
            raise ApiError(400, "PARAM_ERROR", "description")
        payer = asked.get("payer")
        openid = payer.get("openid") if isinstance(payer, dict) else None
        if kind == "jsapi" and (not isinstance(openid, str) or not openid):
            raise ApiError(400, "PARAM_ERROR", "payer.openid")
        attach = asked.get("attach")
        return {
            "out_trade_no": _matching(asked, "out_trade_no", _TRADE_NO),
            "kind": kind,
            "description": description,
            "amount": _fen(money, "total"),
            "currency": "CNY",
            "notify_url": _matching(asked, "notify_url", _URL),
            "attach": attach if isinstance(attach, str) else None,
            "openid": openid if kind == "jsapi" else "",
            "expires_unix": self._expiry(asked.get("time_expire")),
        }

    def _expiry(self, text: object) -> int:
        """Unix seconds by the provider's own clock; seven days when the merchant says nothing."""
        now = int(self._wall())
        if text is None:
            return now + 7 * 86400
        try:
            moment = datetime.fromisoformat(str(text))
        except ValueError:
            raise ApiError(400, "PARAM_ERROR", "time_expire") from None
        if moment.tzinfo is None or moment.timestamp() <= now:
            raise ApiError(400, "PARAM_ERROR", "time_expire")
        return int(moment.timestamp())

    def _described(self, order: Row) -> dict[str, Any]:
        told: dict[str, Any] = {
            "appid": self._keys.config.appid,
            "mchid": self._keys.config.mchid,
            "out_trade_no": order["out_trade_no"],
            "trade_state": order["state"],
            "trade_state_desc": order["state"],
        }
        if order["attach"] is not None:
            told["attach"] = order["attach"]
        money = {"total": order["amount"], "currency": order["currency"]}
        if order["transaction_id"] is None:
            return {**told, "amount": money}
        return {
            **told,
            "transaction_id": order["transaction_id"],
            "trade_type": order["kind"].upper(),
            "bank_type": "OTHERS",
            "success_time": order["success_time"],
            "payer": {"openid": order["payer_openid"]},
            "amount": {**money, "payer_total": order["amount"], "payer_currency": order["currency"]},
        }

    def _refund_described(self, refund: Row) -> dict[str, Any]:
        order = self._order(refund["out_trade_no"])
        told: dict[str, Any] = {
            "refund_id": refund["refund_id"],
            "out_refund_no": refund["out_refund_no"],
            "transaction_id": order["transaction_id"],
            "out_trade_no": order["out_trade_no"],
            "channel": "ORIGINAL",
            "user_received_account": "支付用户零钱",
            "create_time": refund["create_time"],
            "status": refund["state"],
            "amount": {
                "total": order["amount"],
                "refund": refund["amount"],
                "payer_total": order["amount"],
                "payer_refund": refund["amount"],
                "currency": "CNY",
            },
        }
        if refund["success_time"] is not None:
            told["success_time"] = refund["success_time"]
        return told


def _matching(asked: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = asked.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ApiError(400, "PARAM_ERROR", name)
    return value


def _fen(money: Mapping[str, Any], name: str) -> int:
    value = money.get(name)
    if type(value) is not int or not 1 <= value <= MAX_FEN:
        raise ApiError(400, "PARAM_ERROR", f"amount.{name}")
    return value
