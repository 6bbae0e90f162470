"""Callbacks out: sealed and signed at every try, tried again until they are answered 200."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from urllib.parse import urlencode

import httpx

from highstreet.kernel import clock

from ..dialects import sealed
from ..dialects.meituan import sign
from .rides import Ride, Word

TRIES = 5
PAUSE_SECONDS = 0.5
TIMEOUT_SECONDS = 5.0


class Teller:
    """`accounts`: each dialect's secrets, with the `notify_url` that the shop told the fleet."""

    def __init__(self, accounts: Mapping[str, Mapping[str, str]]) -> None:
        self._accounts = accounts
        self._queue: asyncio.Queue[tuple[Ride, Word]] = asyncio.Queue()
        self.log: list[dict[str, object]] = []

    def tell(self, ride: Ride, said: Word) -> None:
        self._queue.put_nowait((ride, said))

    async def run(self) -> None:
        """One after the other: what is to be told first is sent first. Ends by cancellation."""
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            while True:
                ride, said = await self._queue.get()
                for _ in range(TRIES):
                    if await self._send(client, ride, said):
                        break
                    await asyncio.sleep(PAUSE_SECONDS)

    async def _send(self, client: httpx.AsyncClient, ride: Ride, said: Word) -> bool:
        account = self._accounts[ride.dialect]
        url, body, media = (_wechat if ride.dialect == "wechat" else _meituan)(account, ride, said)
        try:
            answer = await client.post(url, content=body, headers={"Content-Type": media})
            status = answer.status_code
        except httpx.HTTPError:
            status = 0
        self.log.append({"number": ride.number, "code": said.code, "status": status})
        return status == 200


def _wechat(account: Mapping[str, str], ride: Ride, said: Word) -> tuple[str, bytes, str]:
    at = int(said.at.timestamp())
    rider: dict[str, object] = {"name": said.name, "phone": said.phone}
    if said.eta is not None:
        rider["reach_time"] = int(said.eta.timestamp())
    message = {
        "ToUserName": "gh_sandbox",
        "FromUserName": "wechat",
        "CreateTime": at,
        "MsgType": "event",
        "Event": "update_waybill_status",
        "shopid": account["shopid"],
        "shop_order_id": ride.number,
        "waybill_id": ride.waybill,
        "action_time": at,
        "order_status": int(said.code),
        "action_msg": "",
        "agent": rider,
    }
    plain = json.dumps(message, ensure_ascii=False).encode()
    box = sealed.seal(sealed.key_of(account["aes_key"]), account["appid"], plain, secrets.token_bytes(16))
    stamp, nonce = str(int(clock.wall())), str(secrets.randbelow(10**9))
    query = {
        "timestamp": stamp,
        "nonce": nonce,
        "encrypt_type": "aes",
        "signature": sealed.signature(account["token"], stamp, nonce),
        "msg_signature": sealed.signature(account["token"], stamp, nonce, box),
    }
    body = json.dumps({"ToUserName": "gh_sandbox", "Encrypt": box}).encode()
    return f"{account['notify_url']}?{urlencode(query)}", body, "application/json"


def _meituan(account: Mapping[str, str], ride: Ride, said: Word) -> tuple[str, bytes, str]:
    fields = {
        "delivery_id": "0",
        "mt_peisong_id": ride.waybill,
        "order_id": ride.number,
        "status": said.code,
        "courier_name": said.name,
        "courier_phone": said.phone,
        "cancel_reason_id": "",
        "cancel_reason": "",
        "predict_delivery_time": str(int(said.eta.timestamp())) if said.eta else "",
        "appkey": account["appkey"],
        "timestamp": str(int(said.at.timestamp())),
    }
    body = urlencode({**fields, "sign": sign(account["secret"], fields)}).encode()
    return account["notify_url"], body, "application/x-www-form-urlencoded"
