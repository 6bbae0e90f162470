"""WeChat instant delivery (微信即时配送), for who sells: JSON with an access token; pushes in safe mode.

Source: developers.weixin.qq.com, "即时配送": "开发必读" (delivery_sign, error codes), "addLocalOrder", "getLocalOrder",
"cancelLocalOrder", "preAddOrder", "onOrderStatus".
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any
from urllib.parse import quote

from highstreet.kernel import clock

from ..providers import (
    Asked,
    Called,
    FleetRefused,
    FleetUnavailable,
    Forged,
    Known,
    Notice,
    Place,
    Quote,
    Told,
    Unconcerned,
    post,
)
from ..rules import gcj02, weight_kg
from . import reading, sealed

MEDIA = "application/json"
BUSINESS = "cgi-bin/express/local/business"
EVENT = "update_waybill_status"
# The platform's or the fleet's own trouble, and quotas: it may go well a little later.
UNSURE = frozenset({"-1", "45009", "45011", "930555", "930556", "930557", "930564"})
NO_SUCH_ORDER = "930563"
THERE_ALREADY = "930562"
BAD_TOKEN = frozenset({"40001", "40014", "42001"})
OTHER_REASON = 5
_KEPT = ("shopid", "shop_order_id", "waybill_id", "action_time", "order_status", "action_msg")
_AGENT = ("name", "phone", "reach_time")
_tokens: dict[str, tuple[str, float]] = {}
_lock = Lock()


def delivery_sign(shopid: str, number: str, secret: str) -> str:
    return hashlib.sha1(f"{shopid}{number}{secret}".encode(), usedforsecurity=False).hexdigest()


class Wechat:
    """One mini-program (appid) with one fleet's account (delivery_id, shopid) bound to it."""

    reply = b"success"

    def __init__(self, secrets: Mapping[str, str], base_url: str) -> None:
        self._secrets, self._base_url = dict(secrets), base_url
        self._key = sealed.key_of(secrets["aes_key"])

    def quote(self, asked: Asked) -> Quote:
        found = self._call("order/pre_add", self._wanted(asked))
        return Quote(reading.fen(found, "fee"), reading.text(found, "delivery_token"))

    def create(self, asked: Asked, quote: Quote) -> str:
        try:
            found = self._call("order/add", {**self._wanted(asked), "delivery_token": quote.token})
            number = reading.text(found, "waybill_id", 64)
        except FleetRefused as refused:
            if refused.code != THERE_ALREADY:
                raise
            told = self.query(Known(asked.number, asked.serial, asked.shop_no), clock.now())
            number = told.provider_id if told else ""
        if not number:
            raise FleetUnavailable("no number")
        return number

    def cancel(self, known: Known, reason: str) -> int:
        named = {**self._names(known), "waybill_id": known.provider_id, "delivery_id": self._secrets["delivery_id"]}
        wanted = {**named, "cancel_reason_id": OTHER_REASON, "cancel_reason": reason}
        return reading.fen(self._call("order/cancel", wanted), "deduct_fee") or 0

    def query(self, known: Known, now: datetime) -> Told | None:
        try:
            found = self._call("order/get", self._names(known))
        except FleetRefused as refused:
            if refused.code == NO_SUCH_ORDER:
                return None
            raise
        left = reading.text(found, "reach_time", 8)
        return Told(
            number=known.number,
            code=reading.text(found, "order_status", 8),
            at=now,
            provider_id=reading.text(found, "waybill_id", 64),
            courier_name=reading.text(found, "rider_name", 60),
            courier_phone=reading.text(found, "rider_phone", 20),
            eta=now + timedelta(seconds=int(left)) if left.isascii() and left.isdigit() and int(left) else None,
        )

    def verify(self, called: Called) -> Notice:
        """The signature, then the seal; nothing is read before both have held."""
        try:
            cipher = reading.objects(called.body).get("Encrypt")
            if not isinstance(cipher, str):
                raise Forged("not sealed")
            self._signed(called, "msg_signature", cipher)
            found = reading.objects(sealed.open_(self._key, self._secrets["appid"], cipher))
        except ValueError as error:
            raise Forged(str(error)) from None
        if reading.text(found, "Event").lower() != EVENT:
            # A mini-program has one address for all that it is told.
            raise Unconcerned
        kept = {name: reading.text(found, name) for name in _KEPT}
        if kept["shopid"] != self._secrets["shopid"] or not kept["shop_order_id"] or not kept["order_status"]:
            raise Forged("fields")
        agent = found.get("agent")
        rider = {name: reading.text(agent if isinstance(agent, dict) else {}, name, 60) for name in _AGENT}
        facts = (kept["shop_order_id"], kept["order_status"], kept["action_time"], rider["name"], rider["phone"])
        return Notice(
            reading.fingerprint(*facts), kept["shop_order_id"][:64], kept["order_status"][:16], {**kept, "agent": rider}
        )

    def read(self, resource: Mapping[str, Any]) -> Told:
        rider = resource["agent"]
        return Told(
            number=reading.text(resource, "shop_order_id", 64),
            code=reading.text(resource, "order_status", 8),
            at=reading.moment(resource, "action_time") or datetime.fromtimestamp(0, tz=UTC),
            provider_id=reading.text(resource, "waybill_id", 64),
            reason=reading.text(resource, "action_msg", 60),
            courier_name=reading.text(rider, "name", 60),
            courier_phone=reading.text(rider, "phone", 20),
            eta=reading.moment(rider, "reach_time"),
        )

    def greet(self, called: Called) -> bytes:
        """The address is checked by a signature over nothing but the token."""
        self._signed(called, "signature")
        said = called.query.get("echostr", "")
        if not (said.isascii() and said.isalnum() and len(said) <= 64):
            raise Forged("echostr")
        return said.encode()

    def _signed(self, called: Called, name: str, *more: str) -> None:
        parts = (self._secrets["token"], called.query.get("timestamp", ""), called.query.get("nonce", ""), *more)
        try:
            right = hmac.compare_digest(called.query.get(name, "").encode(), sealed.signature(*parts).encode())
        except UnicodeError:
            right = False
        if not right:
            raise Forged("signature")

    def _names(self, known: Known) -> dict[str, Any]:
        shopid = self._secrets["shopid"]
        return {
            "shopid": shopid,
            "shop_order_id": known.number,
            "shop_no": known.shop_no,
            "delivery_sign": delivery_sign(shopid, known.number, self._secrets["shop_secret"]),
        }

    def _wanted(self, asked: Asked) -> dict[str, Any]:
        return {
            **self._names(Known(asked.number, asked.serial, asked.shop_no)),
            "delivery_id": self._secrets["delivery_id"],
            "openid": self._secrets["openid"],
            "sender": _end(asked.shop, asked.city),
            "receiver": _end(asked.door, asked.city),
            "cargo": {
                "goods_value": float(reading.yuan(asked.value)),
                "goods_weight": weight_kg(asked.units),
                "cargo_first_class": "美食外卖",
                "cargo_second_class": "其他",
            },
            "order_info": {
                "order_type": 0,
                "expected_pick_time": int(asked.pick_up_at.timestamp()),
                "expected_finish_time": int(asked.promised_to.timestamp()),
                "poi_seq": asked.order_number,
                "note": asked.note,
            },
            "shop": {"goods_name": asked.shop.name, "goods_count": asked.units, "wxa_path": "/"},
        }

    def _call(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._asked(f"{BUSINESS}/{path}?access_token={quote(self._token(), safe='')}", body)
        except FleetRefused as refused:
            if refused.code not in BAD_TOKEN:
                raise
        with _lock:
            _tokens.pop(self._named, None)
        return self._asked(f"{BUSINESS}/{path}?access_token={quote(self._token(), safe='')}", body)

    @property
    def _named(self) -> str:
        return f"{self._base_url} {self._secrets['appid']}"

    def _token(self) -> str:
        """The mini-program's access token, kept until shortly before it ends."""
        with _lock:
            token, until = _tokens.get(self._named, ("", 0.0))
        if clock.wall() < until:
            return token
        wanted = {
            "grant_type": "client_credential",
            "appid": self._secrets["appid"],
            "secret": self._secrets["app_secret"],
        }
        found = self._asked("cgi-bin/stable_token", wanted)
        token, lasts = reading.text(found, "access_token", 600), reading.text(found, "expires_in", 6)
        if not token:
            raise FleetUnavailable("no token")
        with _lock:
            _tokens[self._named] = (token, clock.wall() + (int(lasts) if lasts.isdigit() else 0) - 60)
        return token

    def _asked(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        sent = json.dumps(body, ensure_ascii=False).encode()
        try:
            found = reading.objects(post(f"{self._base_url}/{path}", sent, MEDIA))
        except ValueError:
            raise FleetUnavailable("not JSON") from None
        for name in ("errcode", "resultcode"):
            code = reading.text(found, name, 16) or "0"
            if code in UNSURE:
                raise FleetUnavailable(code)
            if code != "0":
                raise FleetRefused(code)
        return found


def _end(place: Place, city: str) -> dict[str, Any]:
    lat, lon = gcj02(place.lat, place.lon)
    return {
        "name": place.name,
        "phone": place.phone,
        "city": city,
        "address": place.address,
        "address_detail": place.address,
        "lat": round(lat, 6),
        "lng": round(lon, 6),
        "coordinate_type": 0,
    }
