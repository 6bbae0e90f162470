"""The protocols, byte for byte: the documents' own examples, what is read, and what is not believed."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from highstreet.kernel import ids

from ..dialects import reading, sealed
from ..dialects.meituan import Meituan, sign
from ..dialects.wechat import Wechat, delivery_sign
from ..providers import Called, Forged, Known, Unconcerned
from .support import MEITUAN_SECRETS, WECHAT_SECRETS, meituan_callback, wechat_callback


def test_signatures_are_those_of_the_documents() -> None:
    fields = {"appkey": "test", "timestamp": "1477395862", "version": "1.0", "number": "123", "string": "测试"}
    fields |= {"double": "123.123", "boolean": "true", "empty": "", "sign": "left out"}
    assert sign("test", fields) == "8943ba698f4b009f80dc2fd69ff9b313381263bd"
    assert sealed.signature("AAAAA", "1714036504", "1514711492") == "f464b24fc39322e44b38aa78f5edd27bd1441696"
    told = delivery_sign("test_shop_id", "test_shop_order_id", "test_app_secrect")
    assert told == "a93d8d6bae9a9483c1b1d4e8670e7f6226ec94cb"


@pytest.mark.parametrize(
    ("answer", "costs"),
    [(b'{"deduct_fee": 2.5, "desc": ""}', 250), (b'{"deduct_fee": 0}', 0), (b"{}", 0), (b'{"deduct_fee": -1}', 0)],
)
def test_what_calling_off_costs_is_read_from_the_answer(
    monkeypatch: pytest.MonkeyPatch, answer: bytes, costs: int
) -> None:
    monkeypatch.setattr(Wechat, "_call", lambda *_asked: reading.objects(answer))
    assert Wechat(WECHAT_SECRETS, "").cancel(Known("one", 1, "no-1", "w1"), "cancelled") == costs


def test_what_is_sealed_opens_and_nothing_else_does() -> None:
    key = sealed.key_of(WECHAT_SECRETS["aes_key"])
    message = json.dumps({"words": "配送中" * 50}).encode()
    box = sealed.seal(key, "wx1", message, ids.random_bytes(16))
    assert sealed.open_(key, "wx1", box) == message
    other = sealed.key_of("B" * 42 + "A")
    for wrong in (
        (key, "wx2", box),
        (other, "wx1", box),
        (key, "wx1", box[:-4]),
        (key, "wx1", ""),
        (key, "wx1", "AAAA"),
    ):
        with pytest.raises(ValueError):
            sealed.open_(*wrong)
    for bad in ("short", "A" * 44, "!" * 43):
        with pytest.raises(ValueError):
            sealed.key_of(bad)


def test_a_wechat_callback_is_read() -> None:
    speaker = Wechat(WECHAT_SECRETS, "")
    notice = speaker.verify(
        wechat_callback("flo_1", "301", at=1_772_636_400, name="张三", phone="13800001234", eta=1_772_637_000)
    )
    assert (notice.number, notice.code) == ("flo_1", "301")
    told = speaker.read(notice.resource)
    assert (told.courier_name, told.courier_phone) == ("张三", "13800001234")
    assert told.at == datetime.fromtimestamp(1_772_636_400, tz=UTC)
    assert told.eta == datetime.fromtimestamp(1_772_637_000, tz=UTC)


def test_a_meituan_callback_is_read() -> None:
    speaker = Meituan(MEITUAN_SECRETS, "")
    notice = speaker.verify(meituan_callback("flo_1", "20", at=1_772_636_400, name="李四", phone="13900001234"))
    told = speaker.read(notice.resource)
    assert (told.number, told.code, told.courier_name) == ("flo_1", "20", "李四")
    assert told.at == datetime.fromtimestamp(1_772_636_400, tz=UTC) and told.eta is None


def test_the_same_words_are_the_same_message() -> None:
    """Nothing but what is said counts: a repetition is sealed and signed anew, and is the same message."""
    speaker = Wechat(WECHAT_SECRETS, "")
    said: dict[str, Any] = {"at": 1_772_636_400, "name": "张三", "phone": "138"}
    first = speaker.verify(wechat_callback("flo_1", "102", **said)).event_id
    assert speaker.verify(wechat_callback("flo_1", "102", **said)).event_id == first
    for number, code, other in (
        ("flo_2", "102", said),
        ("flo_1", "201", said),
        ("flo_1", "102", {**said, "name": "李四"}),
    ):
        assert speaker.verify(wechat_callback(number, code, **other)).event_id != first


def forgeries(rng: random.Random) -> list[tuple[str, Any, Called]]:
    """Callbacks of nobody: unsigned, altered, of another key, account or kind, and rubbish."""
    wechat, meituan = Wechat(WECHAT_SECRETS, ""), Meituan(MEITUAN_SECRETS, "")
    real, form = wechat_callback("flo_1", "302"), meituan_callback("flo_1", "50")
    stranger = {**WECHAT_SECRETS, "token": "stranger", "aes_key": "B" * 42 + "A"}
    made: list[tuple[str, Any, Called]] = [
        ("no query", wechat, Called({}, real.body)),
        ("another's token", wechat, wechat_callback("flo_1", "302", secrets={**WECHAT_SECRETS, "token": "x"})),
        (
            "another's key",
            wechat,
            wechat_callback("flo_1", "302", secrets={**WECHAT_SECRETS, "aes_key": "B" * 42 + "A"}),
        ),
        ("another's appid", wechat, wechat_callback("flo_1", "302", secrets={**WECHAT_SECRETS, "appid": "wxother"})),
        ("another's shop", wechat, wechat_callback("flo_1", "302", secrets={**WECHAT_SECRETS, "shopid": "other"})),
        ("a stranger", wechat, wechat_callback("flo_1", "302", secrets=stranger)),
        ("plain", wechat, Called(real.query, json.dumps({"Event": "update_waybill_status"}).encode())),
        ("not ascii", wechat, Called({**real.query, "msg_signature": "é" * 40}, real.body)),
        ("no number", wechat, wechat_callback("", "302")),
        ("no sign", meituan, Called({}, urlencode({"order_id": "flo_1", "status": "50"}).encode())),
        ("another's secret", meituan, meituan_callback("flo_1", "50", secrets={**MEITUAN_SECRETS, "secret": "x"})),
        ("another's appkey", meituan, meituan_callback("flo_1", "50", secrets={**MEITUAN_SECRETS, "appkey": "x"})),
        ("no status", meituan, meituan_callback("flo_1", "")),
        ("altered", meituan, Called({}, form.body.replace(b"status=50", b"status=30"))),
    ]
    for body in (b"", b"{", b"\xff\xfe", b"[" * 5000, b"null", b'{"Encrypt":1}', b'{"Encrypt":"====" }'):
        made += [("rubbish", wechat, Called(real.query, body)), ("rubbish", meituan, Called({}, body))]
    for _ in range(60):
        at = rng.randrange(len(real.body))
        made.append(("a bit", wechat, Called(real.query, _flipped(real.body, at, rng))))
        at = rng.randrange(len(form.body))
        made.append(("a bit", meituan, Called({}, _flipped(form.body, at, rng))))
    return made


def _flipped(body: bytes, at: int, rng: random.Random) -> bytes:
    return body[:at] + bytes([body[at] ^ (1 << rng.randrange(7))]) + body[at + 1 :]


def test_what_is_forged_is_not_believed() -> None:
    believed = []
    for kind, speaker, called in forgeries(random.Random(20261126)):
        try:
            notice = speaker.verify(called)
        except Forged:
            continue
        # A flipped bit of the envelope's own JSON or form syntax may change nothing that is said.
        if notice.number != "flo_1" or notice.code not in ("302", "50"):
            believed.append((kind, notice))
    assert believed == []


def test_what_is_not_about_deliveries_is_none_of_our_business() -> None:
    """A mini-program's other events come to the same address; who cannot seal them is a forger all the same."""
    speaker = Wechat(WECHAT_SECRETS, "")
    with pytest.raises(Unconcerned):
        speaker.verify(wechat_callback("flo_1", "302", event="user_enter_tempsession"))
    with pytest.raises(Forged):
        speaker.verify(wechat_callback("flo_1", "302", event="x", secrets={**WECHAT_SECRETS, "token": "x"}))


def test_the_address_is_greeted_only_by_its_token() -> None:
    speaker = Wechat(WECHAT_SECRETS, "")
    query = {"timestamp": "1714036504", "nonce": "1514711492", "echostr": "4375120948345356249"}
    right = sealed.signature(WECHAT_SECRETS["token"], query["timestamp"], query["nonce"])
    assert speaker.greet(Called({**query, "signature": right}, b"")) == b"4375120948345356249"
    for wrong in ({"signature": "x"}, {"signature": right, "echostr": "<script>"}, {"signature": right, "nonce": "1"}):
        with pytest.raises(Forged):
            speaker.greet(Called({**query, **wrong}, b""))
    with pytest.raises(Forged):
        Meituan(MEITUAN_SECRETS, "").greet(Called({}, b""))


def test_numbers_texts_and_times_of_strangers() -> None:
    assert reading.text({"a": 12}, "a") == "12" and reading.text({"a": True}, "a") == ""
    assert reading.text({"a": "x\x00 \ud800\n y"}, "a") == "x y" and reading.text({"a": ["x"]}, "a") == ""
    assert reading.moment({"a": "1772636400"}, "a") == datetime.fromtimestamp(1_772_636_400, tz=UTC)
    for odd in ("", "x", "-1", "9" * 19, "１７７２６３６４００"):
        assert reading.moment({"a": odd}, "a") is None
    assert reading.fen({"a": "12.3"}, "a") == 1230 and reading.fen({"a": 7}, "a") == 700
    for odd in ("", "NaN", "Infinity", "-1", "1e9", "x"):
        assert reading.fen({"a": odd}, "a") is None
    assert reading.yuan(2590) == "25.90"
    for bad in (b"\xff", b"[]", b"1", b"{", b"[" * 100_000):
        with pytest.raises(ValueError):
            reading.objects(bad)
