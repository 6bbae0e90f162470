"""Forged notifications are refused, genuine ones believed, and believed ones still have to be about us."""

from __future__ import annotations

import base64
import json
import socket
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from highstreet.trade.payments.sandbox.crypto import SandboxKeys, generate_keys, seal, sign, signed_headers
from highstreet.trade.payments.sandbox.forge import KINDS, forgeries, genuine, transaction_resource
from highstreet.trade.payments.wechat.config import WechatConfig
from highstreet.trade.payments.wechat.notification import (
    Forged,
    Mismatched,
    check_refund,
    check_transaction,
    verify,
)

NOW = 1_800_000_000.0
PER_KIND = 10
SIGNATURE = {"signature"}
REASONS: dict[str, set[str]] = {
    "missing timestamp": {"missing_header:timestamp"},
    "missing nonce": {"missing_header:nonce"},
    "missing serial": {"missing_header:serial"},
    "missing signature": {"missing_header:signature"},
    "missing signature type": {"missing_header:signature-type"},
    "empty signature": {"missing_header:signature"},
    "garbled signature": SIGNATURE,
    "noise for a signature": {"signature", "signature_not_base64"},
    "signature probe": {"signtest_probe"},
    "wrong signature type": {"signature_type"},
    "unknown serial": {"unknown_serial"},
    "another key under a known serial": SIGNATURE,
    "another merchant's notification": {"decryption"},
    "wrong AEAD tag": {"decryption"},
    "wrong associated data": {"decryption", "associated_data"},
    "wrong AEAD nonce": {"decryption", "resource_nonce", "field:nonce"},
    "wrong algorithm": {"algorithm"},
    "resource in the clear": {"algorithm", "resource_type"},
    "resource not an object": {"resource_not_json", "resource_not_an_object"},
    "re-serialised body": SIGNATURE,
    "truncated body": SIGNATURE,
    "another body's signature": SIGNATURE,
    "header in two cases": {"duplicate_header:signature", "duplicate_header:serial"},
    "environment names": {"missing_header:timestamp"},
    "v2 XML with an external entity": {"signature", "content_not_json"},
    "six minutes old": {"timestamp_age"},
    "six minutes ahead": {"timestamp_age"},
    "old capture made fresh": SIGNATURE,
    "odd timestamp": {"timestamp_not_a_number", "timestamp_age"},
    "not JSON": {"content_not_json", "content_not_an_object"},
    "an answer as a notification": {"resource_type"},
}


@pytest.fixture(scope="module")
def keys() -> SandboxKeys:
    return generate_keys()


@pytest.fixture(scope="module")
def config(keys: SandboxKeys) -> WechatConfig:
    return keys.config


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("verification must not open a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def refusal(headers: dict[str, str], body: bytes, config: WechatConfig, now: float = NOW) -> str:
    try:
        verify(headers, body, config, now)
    except Forged as forged:
        return forged.reason
    return "accepted"


@pytest.mark.parametrize("seed", [1, 2])
def test_no_forgery_is_accepted_and_each_meets_its_own_check(
    keys: SandboxKeys, config: WechatConfig, seed: int
) -> None:
    seen: Counter[tuple[str, str]] = Counter()
    for kind, headers, body in forgeries(config, keys, seed, per_kind=PER_KIND, now_wall=NOW):
        seen[kind, refusal(headers, body, config)] += 1
    assert sum(seen.values()) == PER_KIND * len(KINDS) >= 200
    wrong = {key: count for key, count in seen.items() if key[1] not in REASONS[key[0]]}
    assert wrong == {}


def test_the_genuine_one_is_believed(keys: SandboxKeys, config: WechatConfig) -> None:
    headers, body = genuine(keys, transaction_resource(config), NOW)
    found = verify(headers, body, config, NOW)
    assert found.id == json.loads(body)["id"]
    assert (found.event_type, found.create_time.timestamp()) == ("TRANSACTION.SUCCESS", NOW)
    paid = check_transaction(found.resource, config.appid, config.mchid)
    assert (paid.out_trade_no, paid.amount, paid.currency) == ("hs202611240001", 2590, "CNY")
    assert paid.success_at is not None and paid.payer_openid == "oHighstreetCustomer000000001"
    assert verify(headers, body, config, NOW) == found


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_header_names_have_no_case(keys: SandboxKeys, config: WechatConfig, case: Any) -> None:
    headers, body = genuine(keys, transaction_resource(config), NOW)
    assert refusal({case(name): value for name, value in headers.items()}, body, config) == "accepted"


def test_a_name_given_twice_is_refused_even_when_one_is_right(keys: SandboxKeys, config: WechatConfig) -> None:
    headers, body = genuine(keys, transaction_resource(config), NOW)
    for name in list(headers):
        doubled = {**headers, name.lower(): headers[name]}
        assert refusal(doubled, body, config).startswith("duplicate_header:")


@pytest.mark.parametrize(("seconds", "fine"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_five_minutes_to_the_second(keys: SandboxKeys, config: WechatConfig, seconds: int, fine: bool) -> None:
    headers, body = genuine(keys, transaction_resource(config), NOW + seconds)
    assert refusal(headers, body, config) == ("accepted" if fine else "timestamp_age")


def test_a_signature_over_other_bytes_is_no_signature(keys: SandboxKeys, config: WechatConfig) -> None:
    headers, body = genuine(keys, transaction_resource(config), NOW)
    head = f"{headers['Wechatpay-Timestamp']}\n{headers['Wechatpay-Nonce']}\n".encode()
    for message in (head + body, body, head + body + b"\r\n", head.replace(b"\n", b"") + body + b"\n"):
        forged = {**headers, "Wechatpay-Signature": sign(keys.platform_private_key_pem, message)}
        assert refusal(forged, body, config) == "signature"
    spaced = {**headers, "Wechatpay-Signature": headers["Wechatpay-Signature"] + "\n"}
    assert refusal(spaced, body, config) == "signature_not_base64"


def test_a_nonce_with_a_line_feed_cannot_move_the_border(keys: SandboxKeys, config: WechatConfig) -> None:
    _, body = genuine(keys, transaction_resource(config), NOW)
    first, rest = b"lead", body
    headers = signed_headers(keys, first + b"\n" + rest, NOW)
    moved = {**headers, "Wechatpay-Nonce": headers["Wechatpay-Nonce"] + "\n" + first.decode()}
    assert refusal(moved, rest, config) == "nonce"


def test_an_expired_platform_certificate_is_refused(keys: SandboxKeys, config: WechatConfig) -> None:
    later = NOW + 20 * 365 * 86400
    headers, body = genuine(keys, transaction_resource(config), later)
    assert refusal(headers, body, config, later) == "certificate_period"


def test_a_bare_public_key_serves_as_well(keys: SandboxKeys, config: WechatConfig) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509 import load_pem_x509_certificate

    key = load_pem_x509_certificate(keys.platform_certificate_pem.encode()).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    other = replace(config, platform_certificates={"PUB_KEY_ID_01": pem})
    headers, body = genuine(replace(keys, platform_serial="PUB_KEY_ID_01"), transaction_resource(config), NOW)
    assert refusal(headers, body, other) == "accepted"
    assert refusal(headers, body, config) == "unknown_serial"


def test_a_large_body_is_not_even_looked_at(config: WechatConfig) -> None:
    assert refusal({}, b" " * (65_536 + 1), config) == "too_large"
    assert refusal({}, b" " * 65_536, config).startswith("missing_header:")


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("resource_type", {"resource_type": "plain"}),
        ("resource_type", {"resource": ["sealed"]}),
        *[("field:id", {"id": bad}) for bad in ("", None, 7, "EV\x00", "\x00")],
        ("field:event_type", {"event_type": None}),
        *[("field:create_time", {"create_time": bad}) for bad in ("yesterday", "2026-11-24T12:00:00", "", 1.0)],
    ],
)
def test_what_is_signed_is_read_with_care(
    keys: SandboxKeys, config: WechatConfig, reason: str, changes: dict[str, Any]
) -> None:
    content = json.loads(genuine(keys, transaction_resource(config), NOW)[1]) | changes
    body = json.dumps(content).encode()
    assert refusal(signed_headers(keys, body, NOW), body, config) == reason


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("associated_data", {"associated_data": None}),
        ("associated_data", {"associated_data": {}}),
        ("field:nonce", {"nonce": ""}),
        ("field:ciphertext", {"ciphertext": None}),
        ("ciphertext", {"ciphertext": "AAA"}),
        ("ciphertext", {"ciphertext": "schön"}),
        ("decryption", {"ciphertext": "AAAA"}),
    ],
)
def test_what_is_sealed_is_opened_with_care(
    keys: SandboxKeys, config: WechatConfig, reason: str, changes: dict[str, Any]
) -> None:
    content = json.loads(genuine(keys, transaction_resource(config), NOW)[1])
    content["resource"] |= changes
    body = json.dumps(content).encode()
    assert refusal(signed_headers(keys, body, NOW), body, config) == reason


def test_noise_within_a_ciphertext_is_not_skipped(keys: SandboxKeys, config: WechatConfig) -> None:
    content = json.loads(genuine(keys, transaction_resource(config), NOW)[1])
    content["resource"]["ciphertext"] = "*" + content["resource"]["ciphertext"]
    body = json.dumps(content).encode()
    assert refusal(signed_headers(keys, body, NOW), body, config) == "ciphertext"


def test_a_notification_is_fixed(keys: SandboxKeys, config: WechatConfig) -> None:
    headers, body = genuine(keys, transaction_resource(config), NOW)
    with pytest.raises(AttributeError):
        verify(headers, body, config, NOW).id = "another"  # type: ignore[misc]


def test_associated_data_may_be_absent_as_the_document_says(keys: SandboxKeys, config: WechatConfig) -> None:
    content = json.loads(genuine(keys, transaction_resource(config), NOW)[1])
    plain = json.dumps(transaction_resource(config)).encode()
    content["resource"] = seal(config.api_v3_key, plain, "")
    del content["resource"]["associated_data"]
    body = json.dumps(content).encode()
    assert refusal(signed_headers(keys, body, NOW), body, config) == "accepted"


def test_a_resource_sealed_under_a_longer_nonce_is_refused(keys: SandboxKeys, config: WechatConfig) -> None:
    content = json.loads(genuine(keys, transaction_resource(config), NOW)[1])
    nonce, plain = "0123456789abcdef", json.dumps(transaction_resource(config)).encode()
    sealed = AESGCM(config.api_v3_key.encode()).encrypt(nonce.encode(), plain, b"transaction")
    content["resource"] |= {"nonce": nonce, "ciphertext": base64.b64encode(sealed).decode()}
    body = json.dumps(content).encode()
    assert refusal(signed_headers(keys, body, NOW), body, config) == "resource_nonce"


def test_secrets_stay_out_of_repr(keys: SandboxKeys, config: WechatConfig) -> None:
    shown = repr(keys) + repr(config)
    assert config.api_v3_key not in shown and "PRIVATE KEY" not in shown
    assert base64.b64encode(config.api_v3_key.encode()).decode() not in shown


MONEY = {"total": 2590, "currency": "CNY"}
BAD_PAYMENTS: list[tuple[str, dict[str, Any]]] = [
    ("appid", {"appid": "wx0000000000000000"}),
    ("appid", {"appid": None}),
    ("mchid", {"mchid": "1900000001"}),
    ("mchid", {"mchid": 1900009191}),
    *[("state", {"trade_state": state}) for state in ("NOTPAY", "REFUND", "CLOSED", "PAYERROR", "success")],
    ("currency", {"amount": {**MONEY, "currency": "USD"}}),
    ("currency", {"amount": {**MONEY, "currency": "cny"}}),
    ("currency", {"amount": {**MONEY, "currency": None}}),
    *[("amount", {"amount": {**MONEY, "total": total}}) for total in (0, -1, True, 2590.0, "2590", None, 10**13)],
    ("amount", {"amount": 2590}),
    ("amount", {"amount": {"currency": "CNY"}}),
    ("out_trade_no", {"out_trade_no": ""}),
    ("out_trade_no", {"out_trade_no": ["hs202611240001"]}),
    ("out_trade_no", {"out_trade_no": "a\x00b"}),
    ("transaction_id", {"transaction_id": None}),
    ("success_time", {"success_time": "yesterday"}),
    ("success_time", {"success_time": "2026-11-24T12:00:00"}),
    ("payer", {"payer": {}}),
]


@pytest.mark.parametrize(("reason", "changes"), BAD_PAYMENTS)
def test_a_payment_that_is_not_ours_is_a_mismatch(config: WechatConfig, reason: str, changes: dict[str, Any]) -> None:
    resource = transaction_resource(config)
    if "trade_state" in changes and changes["trade_state"] in ("NOTPAY", "CLOSED", "PAYERROR"):
        for name in ("transaction_id", "success_time", "payer", "amount"):
            del resource[name]
    with pytest.raises(Mismatched) as caught:
        check_transaction({**resource, **changes}, config.appid, config.mchid)
    assert caught.value.reason == reason


@pytest.mark.parametrize("total", [2589, 2590, 2591])
def test_the_amount_is_told_to_the_fen(config: WechatConfig, total: int) -> None:
    resource = transaction_resource(config, amount={"total": total, "currency": "CNY", "payer_total": 2590})
    assert check_transaction(resource, config.appid, config.mchid).amount == total


def refund_resource(config: WechatConfig, **changes: Any) -> dict[str, Any]:
    return {
        "mchid": config.mchid,
        "out_trade_no": "hs202611240001",
        "transaction_id": "4200020261124000000000000001",
        "out_refund_no": "rf202611240001",
        "refund_id": "50300020261124000000000000001",
        "refund_status": "SUCCESS",
        "success_time": "2026-11-24T12:10:00+08:00",
        "user_received_account": "支付用户零钱",
        "amount": {"total": 2590, "refund": 590, "payer_total": 2590, "payer_refund": 590},
        **changes,
    }


def test_a_refund_is_read(config: WechatConfig) -> None:
    found = check_refund(refund_resource(config), config.mchid)
    assert (found.out_refund_no, found.out_trade_no) == ("rf202611240001", "hs202611240001")
    assert (found.amount, found.currency, found.state) == (590, "CNY", "SUCCESS")
    closed = check_refund(refund_resource(config, refund_status="CLOSED"), config.mchid)
    assert closed.state == "CLOSED"


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("mchid", {"mchid": "1900000001"}),
        ("state", {"refund_status": "PROCESSING"}),
        ("state", {"refund_status": "PAID"}),
        ("amount", {"amount": {"refund": 0}}),
        ("amount", {"amount": {"refund": 5.9}}),
        ("amount", {"amount": {"total": 2590}}),
        ("currency", {"amount": {"refund": 590, "currency": "HKD"}}),
        ("out_refund_no", {"out_refund_no": None}),
        ("refund_id", {"refund_id": 503}),
        ("out_trade_no", {"out_trade_no": ""}),
    ],
)
def test_a_refund_that_is_not_ours_is_a_mismatch(config: WechatConfig, reason: str, changes: dict[str, Any]) -> None:
    with pytest.raises(Mismatched) as caught:
        check_refund(refund_resource(config, **changes), config.mchid)
    assert caught.value.reason == reason
