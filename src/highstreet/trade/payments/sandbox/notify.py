"""Notifications out: sealed once, signed at every try, retried on the provider's ladder.

Source: WeChat Pay APIv3, "Payment Notification" and "Refund Result Notification": any answer but 2xx, and
none within five seconds, is a failure; after the first try come 15 more, 24h4m in all. "Signature
Verification": probes with a signature that starts with WECHATPAY/SIGNTEST/ must be refused.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx

from highstreet.trade.payments.wechat.signatures import PROBE_PREFIX

from .crypto import SandboxKeys, seal, signed_headers
from .faults import Faults
from .store import Row, Store

LADDER_SECONDS = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)
TIMEOUT_SECONDS = 5.0
AT_ONCE = 32
_WORDS = {"transaction": "支付成功", "refund": "退款成功"}


def notification_body(
    keys: SandboxKeys, event_type: str, original_type: str, resource: dict[str, Any], created_at: datetime
) -> tuple[str, bytes]:
    """(id, body) of one notification; `original_type` is transaction or refund."""
    notification_id = secrets.token_hex(16)
    plain = json.dumps(resource, ensure_ascii=False).encode()
    content = {
        "id": notification_id,
        "create_time": created_at.isoformat(timespec="seconds"),
        "resource_type": "encrypt-resource",
        "event_type": event_type,
        "summary": _WORDS.get(original_type, ""),
        "resource": {
            "original_type": original_type,
            **seal(keys.config.api_v3_key, plain, original_type),
        },
    }
    return notification_id, json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


class Notifier:
    """Sends what is pending until told to stop. What it has tried survives a restart."""

    def __init__(
        self,
        store: Store,
        keys: SandboxKeys,
        faults: Faults,
        wall: Callable[[], float],
        *,
        speed: float = 1.0,
        probe_every: int = 10,
    ) -> None:
        """`speed` divides the ladder, not the timeout; each `probe_every`-th is probed first (0: never)."""
        self._store, self._keys, self._faults, self._wall = store, keys, faults, wall
        self._speed, self._probe_every = speed, probe_every
        self._under_way: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def enqueue(self, url: str, reference: str, event_type: str, resource: dict[str, Any], created_at: datetime) -> str:
        """Seal a notification and queue it; `reference` is our number of the order or refund, for the log."""
        original_type = event_type.partition(".")[0].lower()
        notification_id, body = notification_body(self._keys, event_type, original_type, resource, created_at)
        row: Row = {
            "id": notification_id,
            "reference": reference,
            "event_type": event_type,
            "url": url,
            "body": body,
            "next_wall": self._wall() + self._faults.delay_notifications,
            "state": "dropped" if self._faults.drop_notifications else "pending",
        }
        self._store.add_notification(row)
        return notification_id

    async def run(self, before_each_round: Callable[[], None]) -> None:
        """Every 50 ms: `before_each_round()`, then send what is due. Ends by cancellation."""
        limits = httpx.Limits(max_connections=AT_ONCE)
        # The merchant is on this machine or named by its own request: no proxy of ours has a say in it.
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False, limits=limits) as client:
            while True:
                before_each_round()
                for row in self._store.notifications_due(self._wall(), AT_ONCE):
                    if row["id"] not in self._under_way and len(self._under_way) < AT_ONCE:
                        self._under_way.add(row["id"])
                        task = asyncio.create_task(self._try(client, row))
                        self._tasks.add(task)
                        task.add_done_callback(self._tasks.discard)
                await asyncio.sleep(0.05)

    async def _try(self, client: httpx.AsyncClient, row: Row) -> None:
        try:
            tries = row["tries"] + 1
            if tries == 1 and self._probe_every and row["seq"] % self._probe_every == 0:
                await self._send(client, row, "probe", tries)
            copies = 1 + self._faults.duplicate_notifications
            answers = await asyncio.gather(*(self._send(client, row, "notification", tries) for _ in range(copies)))
            if any(answers):
                self._store.set_notification(row["id"], tries, 0.0, "done")
            elif tries > len(LADDER_SECONDS):
                self._store.set_notification(row["id"], tries, 0.0, "given_up")
            else:
                due = self._wall() + LADDER_SECONDS[tries - 1] / self._speed
                self._store.set_notification(row["id"], tries, due, "pending")
        finally:
            self._under_way.discard(row["id"])

    async def _send(self, client: httpx.AsyncClient, row: Row, kind: str, attempt: int) -> bool:
        """Whether the merchant answered 2xx in time; every try is in the log."""
        headers = {"Content-Type": "application/json", "User-Agent": "Mozilla/4.0"}
        headers |= signed_headers(self._keys, row["body"], self._wall())
        if kind == "probe":
            noise = base64.b64encode(secrets.token_bytes(240)).decode()
            headers["Wechatpay-Signature"] = PROBE_PREFIX + noise
        at_wall, status, error = self._wall(), None, ""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                answer = await client.post(row["url"], content=row["body"], headers=headers)
            status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as problem:
            error = type(problem).__name__
        accepted = status is not None and 200 <= status < 300
        if kind == "probe" and accepted:
            error = "the merchant accepted a probe"
        self._store.log_delivery(row["id"], kind, attempt, at_wall, status, error)
        return accepted
