"""Meituan delivery (peisong open platform): forms that are signed by SHA-1 over the secret and the sorted fields.

Source: peisong.meituan.com/open/doc, "签名" and "订单状态回调": states may be skipped, never flow back, and come again
with another courier when the order is given to somebody else.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from highstreet.kernel import clock

from ..providers import (
    Asked,
    Called,
    FleetRefused,
    FleetUnavailable,
    Forged,
    Known,
    Notice,
    Quote,
    Told,
    post,
)
from ..rules import gcj02, weight_kg
from . import reading

MEDIA = "application/x-www-form-urlencoded;charset=utf-8"
OTHER_REASON = "199"
NO_SUCH_ORDER = frozenset({"101", "102"})
_KEPT = ("delivery_id", "mt_peisong_id", "order_id", "status", "courier_name", "courier_phone", "timestamp")
_WHY = ("cancel_reason_id", "cancel_reason", "predict_delivery_time")


def sign(secret: str, fields: Mapping[str, str]) -> str:
    """Lower-case hex of SHA-1 over the secret and every field with a value, name then value, by name."""
    said = "".join(f"{name}{fields[name]}" for name in sorted(fields) if name != "sign" and fields[name] != "")
    return hashlib.sha1(f"{secret}{said}".encode(), usedforsecurity=False).hexdigest()


class Meituan:
    """One account (appkey and secret) with the service that its contract names."""

    reply = b'{"code":0}'

    def __init__(self, secrets: Mapping[str, str], base_url: str) -> None:
        self._appkey, self._secret, self._base_url = secrets["appkey"], secrets["secret"], base_url
        self._service = secrets["service_code"]

    def quote(self, asked: Asked) -> Quote:
        found = self._call("order/preCreateByShop", self._wanted(asked))
        return Quote(reading.fen(found, "delivery_fee"))

    def create(self, asked: Asked, quote: Quote) -> str:
        found = self._call("order/createByShop", self._wanted(asked))
        number = reading.text(found, "mt_peisong_id", 64)
        if not number:
            raise FleetUnavailable("no number")
        return number

    def cancel(self, known: Known, reason: str) -> int:
        """Meituan's answer names no charge."""
        self._call("order/delete", {**_names(known), "cancel_reason_id": OTHER_REASON, "cancel_reason": reason})
        return 0

    def query(self, known: Known, now: datetime) -> Told | None:
        try:
            found = self._call("order/status/query", _names(known))
        except FleetRefused as refused:
            if refused.code in NO_SUCH_ORDER:
                return None
            raise
        return self._told({**found, "order_id": known.number}, reading.moment(found, "operate_time") or now)

    def verify(self, called: Called) -> Notice:
        try:
            fields = dict(parse_qsl(called.body.decode("utf-8"), keep_blank_values=True, max_num_fields=60))
        except ValueError:
            raise Forged("form") from None
        if not hmac.compare_digest(fields.get("sign", "").encode(), sign(self._secret, fields).encode()):
            raise Forged("signature")
        if fields.get("appkey") != self._appkey:
            raise Forged("appkey")
        kept = {name: reading.text(fields, name) for name in (*_KEPT, *_WHY)}
        if not kept["order_id"] or not kept["status"]:
            raise Forged("fields")
        said = (kept[name] for name in ("order_id", "status", "courier_name", "courier_phone", "timestamp"))
        return Notice(reading.fingerprint(*said), kept["order_id"][:64], kept["status"][:16], kept)

    def read(self, resource: Mapping[str, Any]) -> Told:
        return self._told(resource, reading.moment(resource, "timestamp") or datetime.fromtimestamp(0, tz=UTC))

    def greet(self, called: Called) -> bytes:
        raise Forged("nobody asks this way")

    def _told(self, found: Mapping[str, Any], at: datetime) -> Told:
        return Told(
            number=reading.text(found, "order_id", 64),
            code=reading.text(found, "status", 8),
            at=at,
            provider_id=reading.text(found, "mt_peisong_id", 64),
            reason=reading.text(found, "cancel_reason", 60),
            courier_name=reading.text(found, "courier_name", 60),
            courier_phone=reading.text(found, "courier_phone", 20),
            eta=reading.moment(found, "predict_delivery_time"),
        )

    def _wanted(self, asked: Asked) -> dict[str, str]:
        lat, lon = gcj02(asked.door.lat, asked.door.lon)
        return {
            "delivery_id": str(asked.serial),
            "order_id": asked.number,
            "shop_id": asked.shop_no,
            "delivery_service_code": self._service,
            "receiver_name": asked.door.name,
            "receiver_address": asked.door.address,
            "receiver_phone": asked.door.phone,
            "receiver_lng": str(round(lon * 1_000_000)),
            "receiver_lat": str(round(lat * 1_000_000)),
            "coordinate_type": "0",
            "goods_value": reading.yuan(asked.value),
            "goods_weight": str(weight_kg(asked.units)),
            "expected_pickup_time": str(int(asked.pick_up_at.timestamp())),
            "expected_delivery_time": str(int(asked.promised_to.timestamp())),
            "poi_seq": asked.order_number,
            "note": asked.note,
            "pay_type_code": "0",
        }

    def _call(self, path: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """The answer's `data`."""
        common = {"appkey": self._appkey, "timestamp": str(int(clock.wall())), "version": "1.0"}
        sent = {**{name: value for name, value in fields.items() if value != ""}, **common}
        body = urlencode({**sent, "sign": sign(self._secret, sent)}).encode()
        try:
            found = reading.objects(post(f"{self._base_url}/{path}", body, MEDIA))
        except ValueError:
            raise FleetUnavailable("not JSON") from None
        code = reading.text(found, "code", 16)
        if code == "1":
            raise FleetUnavailable("their system is at fault")
        if code != "0":
            raise FleetRefused(code or "?")
        data = found.get("data")
        return data if isinstance(data, dict) else {}


def _names(known: Known) -> dict[str, str]:
    return {"delivery_id": str(known.serial), "mt_peisong_id": known.provider_id}
