"""Notifications that must not be believed, by kind. For tests: a forger with more power than a real one.

Some kinds are signed with the platform's own key, so that the checks behind the signature are met as well.
Source of the list: RELIABILITY, payment notifications P1.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from highstreet.kernel import clock
from highstreet.trade.payments.wechat.config import WechatConfig
from highstreet.trade.payments.wechat.signatures import PROBE_PREFIX

from .crypto import SandboxKeys, generate_keys, seal, signed_headers
from .notify import notification_body

Headers = dict[str, str]
Forgery = tuple[Headers, bytes]

_XXE = (
    '<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY leak SYSTEM "file:///etc/passwd">]><xml>'
    "<return_code>SUCCESS</return_code><result_code>SUCCESS</result_code><out_trade_no>&leak;</out_trade_no>"
    "<total_fee>1</total_fee></xml>"
)


def transaction_resource(config: WechatConfig, **changes: Any) -> dict[str, Any]:
    """What a payment notification holds once opened; `changes` replace fields at the top."""
    return {
        "appid": config.appid,
        "mchid": config.mchid,
        "out_trade_no": "hs202611240001",
        "transaction_id": "4200020261124000000000000001",
        "trade_type": "NATIVE",
        "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功",
        "bank_type": "OTHERS",
        "success_time": "2026-11-24T12:00:00+08:00",
        "payer": {"openid": "oHighstreetCustomer000000001"},
        "amount": {"total": 2590, "currency": "CNY", "payer_total": 2590, "payer_currency": "CNY"},
        **changes,
    }


def genuine(
    keys: SandboxKeys,
    resource: dict[str, Any],
    now_wall: float,
    event_type: str = "TRANSACTION.SUCCESS",
) -> Forgery:
    """(headers, body) as the provider sends them."""
    moment = datetime.fromtimestamp(now_wall, tz=UTC)
    original_type = event_type.partition(".")[0].lower()
    _, body = notification_body(keys, event_type, original_type, resource, moment)
    return _signed(keys, body, now_wall)


def forgeries(
    config: WechatConfig,
    keys: SandboxKeys,
    seed: int,
    *,
    per_kind: int = 10,
    resource: dict[str, Any] | None = None,
    now_wall: float | None = None,
) -> Iterator[tuple[str, Headers, bytes]]:
    """`per_kind` forgeries of each kind in `KINDS`, as (kind, headers, body).

    `config` is the merchant attacked, `keys` its provider's. `resource` is what the forger wants believed
    (default: a payment of an order that does not exist). Order and choices depend on `seed` only, keys and
    nonces do not. Each is forged for `now_wall`, by default the moment it is asked for: send it before the next is,
    for one that is six minutes ahead is a genuine one soon.
    """
    dice = random.Random(seed)
    wanted = resource if resource is not None else transaction_resource(config)
    for kind, forge in KINDS.items():
        for _ in range(per_kind):
            at = clock.wall() if now_wall is None else now_wall
            headers, body = forge(_Workshop(keys, wanted, at, dice))
            yield kind, {"Content-Type": "application/json", **headers}, body


class _Workshop:
    """One forger's bench: what it wants believed, the real provider's stamp, and somebody else's."""

    def __init__(self, keys: SandboxKeys, wanted: dict[str, Any], at: float, dice: random.Random) -> None:
        self.keys, self.wanted, self.at, self.dice = keys, wanted, at, dice

    def real(self) -> Forgery:
        return genuine(self.keys, self.wanted, self.at)

    def stranger(self) -> SandboxKeys:
        return replace(_strangers_keys(), platform_serial=self.keys.platform_serial)

    def stamped(self, body: bytes, *, later: float = 0.0) -> Forgery:
        """Signed by the real provider, `later` seconds from now."""
        return _signed(self.keys, body, self.at + later)

    def edited(self, change: Callable[[dict[str, Any]], None]) -> Forgery:
        """A real notification, changed inside, and signed again by the real provider."""
        content = json.loads(self.real()[1])
        change(content)
        return self.stamped(json.dumps(content).encode())


@lru_cache(maxsize=1)
def _strangers_keys() -> SandboxKeys:
    return generate_keys("1900000001")


def _signed(keys: SandboxKeys, body: bytes, at: float) -> Forgery:
    return signed_headers(keys, body, at), body


def _without(name: str) -> Callable[[_Workshop], Forgery]:
    def forge(bench: _Workshop) -> Forgery:
        headers, body = bench.real()
        del headers[name]
        return headers, body

    return forge


def _with(name: str, value: Callable[[_Workshop, str], str]) -> Callable[[_Workshop], Forgery]:
    def forge(bench: _Workshop) -> Forgery:
        headers, body = bench.real()
        headers[name] = value(bench, headers[name])
        return headers, body

    return forge


def _garble(bench: _Workshop, signature: str) -> str:
    raw = bytearray(base64.b64decode(signature))
    raw[bench.dice.randrange(len(raw))] ^= 1 << bench.dice.randrange(8)
    return base64.b64encode(raw).decode()


def _noise(bench: _Workshop, _signature: str) -> str:
    return (
        bench.dice.choice(["null", "AAAA", "{}", "%%%", "签", "=" * 344, "A" * 343 + "!"])
        .encode("ascii", "replace")
        .decode()
    )


def _probe(bench: _Workshop, signature: str) -> str:
    return PROBE_PREFIX + signature[len(PROBE_PREFIX) :] if bench.dice.random() < 0.5 else PROBE_PREFIX + signature


def _strange_serial(bench: _Workshop, serial: str) -> str:
    strange = [
        f"{bench.dice.getrandbits(156):039X}",
        serial.lower(),
        f"0x{serial}",
        f"{serial},{serial}",
        "../" + serial,
    ]
    return bench.dice.choice(strange)


def _other_key(bench: _Workshop) -> Forgery:
    return _signed(bench.stranger(), bench.real()[1], bench.at)


def _other_merchants_notification(bench: _Workshop) -> Forgery:
    """Really the provider's, but to another merchant: sealed with that merchant's APIv3 key."""
    theirs = replace(bench.keys, config=_strangers_keys().config)
    return genuine(theirs, bench.wanted, bench.at)


def _wrong_tag(bench: _Workshop) -> Forgery:
    def change(content: dict[str, Any]) -> None:
        raw = bytearray(base64.b64decode(content["resource"]["ciphertext"]))
        raw[-1 - bench.dice.randrange(16)] ^= 1 << bench.dice.randrange(8)
        content["resource"]["ciphertext"] = base64.b64encode(raw).decode()

    return bench.edited(change)


def _resource_field(name: str, *choices: Any) -> Callable[[_Workshop], Forgery]:
    """A field of the sealed resource set to a wrong value, signed by the provider."""

    def forge(bench: _Workshop) -> Forgery:
        def change(content: dict[str, Any]) -> None:
            content["resource"][name] = bench.dice.choice(choices)

        return bench.edited(change)

    return forge


def _in_the_clear(bench: _Workshop) -> Forgery:
    def change(content: dict[str, Any]) -> None:
        content["resource"] = bench.wanted
        content["resource_type"] = bench.dice.choice(["encrypt-resource", "resource", None])

    return bench.edited(change)


def _reserialised(bench: _Workshop) -> Forgery:
    headers, body = bench.real()
    content = json.loads(body)
    forms = [
        json.dumps(content, indent=1),
        json.dumps(content, sort_keys=True),
        body.decode() + "\n",
        " " + body.decode(),
        json.dumps(content),
    ]
    return headers, bench.dice.choice(forms).encode()


def _two_cases(bench: _Workshop) -> Forgery:
    """The same name in two cases, both wrong, so that a reader of either is wrong as well."""
    headers, body = bench.real()
    name = bench.dice.choice(["Wechatpay-Signature", "Wechatpay-Serial"])
    headers[name.lower()] = headers[name][::-1]
    headers[name] = "WECHATPAY" + headers[name][9:]
    return headers, body


def _environment_names(bench: _Workshop) -> Forgery:
    """Names as a WSGI environment has them, which the client would read as headers."""
    headers, body = bench.real()
    return {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}, body


def _xml(bench: _Workshop) -> Forgery:
    body = _XXE.encode()
    return bench.stamped(body) if bench.dice.random() < 0.5 else (bench.real()[0], body)


def _aged(seconds: float) -> Callable[[_Workshop], Forgery]:
    def forge(bench: _Workshop) -> Forgery:
        return bench.stamped(bench.real()[1], later=seconds + bench.dice.randrange(-30, 30))

    return forge


def _freshened(bench: _Workshop) -> Forgery:
    """An old capture with a new timestamp written on it."""
    headers, body = bench.stamped(bench.real()[1], later=-86400)
    return {**headers, "Wechatpay-Timestamp": str(int(bench.at))}, body


def _odd_timestamp(bench: _Workshop, timestamp: str) -> str:
    odd = [
        f"{timestamp}.0",
        f"+{timestamp}",
        f" {timestamp}",
        "NaN",
        "1e9",
        f"-{timestamp}",
        timestamp + "000",
    ]
    return bench.dice.choice(odd)


def _cut(bench: _Workshop) -> Forgery:
    headers, body = bench.real()
    return headers, body[: bench.dice.randrange(len(body))]


def _not_json(bench: _Workshop) -> Forgery:
    bodies = [b"", b"paid", b"\xff\xfe\x00", b"[1]", b'"SUCCESS"', b"null", b'{"id":', b"[" * 50_000]
    return bench.stamped(bench.dice.choice(bodies))


def _answer_as_notification(bench: _Workshop) -> Forgery:
    """An answer to a query, which the provider signs in the same way, sent back as a notification."""
    return bench.stamped(json.dumps(bench.wanted).encode())


def _other_body(bench: _Workshop) -> Forgery:
    headers, _ = genuine(bench.keys, {"out_trade_no": "another"}, bench.at)
    return headers, bench.real()[1]


def _sealed_text(bench: _Workshop) -> Forgery:
    def change(content: dict[str, Any]) -> None:
        plain = bench.dice.choice([b"[]", b"SUCCESS", b"1", b"\xff", b"null"])
        content["resource"] |= seal(bench.keys.config.api_v3_key, plain, "transaction")

    return bench.edited(change)


KINDS: dict[str, Callable[[_Workshop], Forgery]] = {
    "missing timestamp": _without("Wechatpay-Timestamp"),
    "missing nonce": _without("Wechatpay-Nonce"),
    "missing serial": _without("Wechatpay-Serial"),
    "missing signature": _without("Wechatpay-Signature"),
    "missing signature type": _without("Wechatpay-Signature-Type"),
    "empty signature": _with("Wechatpay-Signature", lambda _bench, _value: ""),
    "garbled signature": _with("Wechatpay-Signature", _garble),
    "noise for a signature": _with("Wechatpay-Signature", _noise),
    "signature probe": _with("Wechatpay-Signature", _probe),
    "wrong signature type": _with("Wechatpay-Signature-Type", lambda _bench, _value: "WECHATPAY2-SM2-WITH-SM3"),
    "unknown serial": _with("Wechatpay-Serial", _strange_serial),
    "another key under a known serial": _other_key,
    "another merchant's notification": _other_merchants_notification,
    "wrong AEAD tag": _wrong_tag,
    "wrong associated data": _resource_field("associated_data", "", "refund", "Transaction", None, 7),
    "wrong AEAD nonce": _resource_field("nonce", "0" * 12, "0" * 16, "", None, "é" * 12),
    "wrong algorithm": _resource_field("algorithm", "AEAD_SM4_GCM", "none", "", None, "aead_aes_256_gcm"),
    "resource in the clear": _in_the_clear,
    "resource not an object": _sealed_text,
    "re-serialised body": _reserialised,
    "truncated body": _cut,
    "another body's signature": _other_body,
    "header in two cases": _two_cases,
    "environment names": _environment_names,
    "v2 XML with an external entity": _xml,
    "six minutes old": _aged(-360),
    "six minutes ahead": _aged(360),
    "old capture made fresh": _freshened,
    "odd timestamp": _with("Wechatpay-Timestamp", _odd_timestamp),
    "not JSON": _not_json,
    "an answer as a notification": _answer_as_notification,
}
