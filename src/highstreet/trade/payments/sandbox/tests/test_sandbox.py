"""The real sandbox process, driven by the real gateway over HTTP."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from highstreet.kernel import clock
from highstreet.trade.payments.sandbox.tests.running import SPEED, Running, Shop, until
from highstreet.trade.payments.wechat import gateway as gateway_module
from highstreet.trade.payments.wechat.gateway import ProviderRefused, ProviderUnavailable, WechatGateway
from highstreet.trade.payments.wechat.notification import check_refund, check_transaction


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    server = Shop()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def running(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    shop.state_dir = tmp_path_factory.mktemp("sandbox")
    sandbox = Running(shop.state_dir, shop)
    yield sandbox
    sandbox.http.close()
    sandbox.process.terminate()
    assert sandbox.process.wait(10) == 0


@pytest.fixture
def sandbox(running: Running, shop: Shop) -> Running:
    running.faults()
    return running


def new_order(sandbox: Running, amount: int = 2590, minutes: float = 15) -> tuple[str, str]:
    """(out_trade_no, code of its QR picture)."""
    number = secrets.token_hex(16)
    url = sandbox.gateway.create_native(
        out_trade_no=number,
        description="草莓 & <b>milk</b>",
        amount=amount,
        expires_at=clock.now() + timedelta(minutes=minutes),
    )
    assert url.startswith("weixin://wxpay/bizpayurl?pr=")
    return number, url.partition("pr=")[2]


def state(sandbox: Running, number: str) -> str:
    found = sandbox.gateway.query(out_trade_no=number)
    return "absent" if found is None else found.state


def pay(sandbox: Running, number: str) -> None:
    sandbox.http.post("/sandbox/pay", json={"out_trade_no": number}).raise_for_status()


def paid_order(sandbox: Running, amount: int = 2590) -> str:
    number, _ = new_order(sandbox, amount)
    pay(sandbox, number)
    return number


def refund(sandbox: Running, number: str, refund_no: str, amount: int, total: int = 2590) -> Any:
    return sandbox.gateway.refund(
        out_trade_no=number, out_refund_no=refund_no, amount=amount, total=total, reason="缺货"
    )


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(ProviderRefused) as caught:
        call()
    return caught.value.code


def test_from_the_question_to_the_phone_to_the_notification(sandbox: Running, shop: Shop) -> None:
    number, code = new_order(sandbox)
    assert state(sandbox, number) == "NOTPAY"
    page = sandbox.http.get(f"/wallet/native?pr={code}&return_url=/orders/1")
    assert page.status_code == 200 and "¥25.90" in page.text and "&lt;b&gt;milk" in page.text
    assert "确认支付 / Pay" in page.text and "<script" not in page.text
    form = {"answer": "pay", "return_url": "/orders/1"}
    done = sandbox.http.post(f"/wallet/{code}", data=form, follow_redirects=True)
    assert "支付成功" in done.text and 'href="/orders/1"' in done.text
    found = sandbox.gateway.query(out_trade_no=number)
    assert found is not None and (found.state, found.amount, found.currency) == ("SUCCESS", 2590, "CNY")
    until(lambda: shop.of(number))
    told = shop.of(number)[0]
    config = sandbox.gateway.config
    assert told.event_type == "TRANSACTION.SUCCESS"
    assert check_transaction(told.resource, config.appid, config.mchid) == found


def test_asking_twice_is_harmless_and_asking_otherwise_refused(sandbox: Running) -> None:
    number = secrets.token_hex(16)
    expires_at = clock.now() + timedelta(minutes=15)

    def ask(amount: int) -> str:
        return sandbox.gateway.create_native(
            out_trade_no=number, description="tea", amount=amount, expires_at=expires_at
        )

    assert ask(100) == ask(100)
    assert refused(lambda: ask(101)) == "OUT_TRADE_NO_USED"
    sandbox.http.post("/sandbox/pay", json={"out_trade_no": number}).raise_for_status()
    assert refused(lambda: ask(100)) == "ORDERPAID"


def test_jsapi_gives_arguments_that_the_phone_can_pay_with(sandbox: Running) -> None:
    number = secrets.token_hex(16)
    arguments = sandbox.gateway.create_jsapi(
        out_trade_no=number,
        description="tea",
        amount=1,
        expires_at=clock.now() + timedelta(minutes=5),
        openid="oAlice000000000000000000000",
    )
    assert set(arguments) == {"appId", "timeStamp", "nonceStr", "package", "signType", "paySign"}
    prepay_id = arguments["package"].removeprefix("prepay_id=")
    assert sandbox.http.post(f"/wallet/{prepay_id}", data={"answer": "pay"}).status_code == 303
    found = sandbox.gateway.query(out_trade_no=number)
    assert found is not None and found.payer_openid == "oAlice000000000000000000000"


def test_closed_is_closed_and_paid_cannot_be_closed(sandbox: Running) -> None:
    number, code = new_order(sandbox)
    sandbox.gateway.close(out_trade_no=number)
    sandbox.gateway.close(out_trade_no=number)
    assert state(sandbox, number) == "CLOSED"
    assert "已关闭" in sandbox.http.post(f"/wallet/{code}", data={"answer": "pay"}, follow_redirects=True).text
    answer = sandbox.http.post("/sandbox/pay", json={"out_trade_no": number})
    assert (answer.status_code, answer.json()["code"]) == (400, "ORDERCLOSED")
    assert state(sandbox, number) == "CLOSED"
    paid = paid_order(sandbox)
    assert refused(lambda: sandbox.gateway.close(out_trade_no=paid)) == "ORDERPAID"
    assert sandbox.gateway.query(out_trade_no="never-heard-of") is None
    assert refused(lambda: sandbox.gateway.close(out_trade_no="never-heard-of")) == "ORDER_NOT_EXIST"


def test_an_order_whose_time_ran_out_is_closed(sandbox: Running) -> None:
    number, code = new_order(sandbox, minutes=2 / 60)
    until(lambda: state(sandbox, number) == "CLOSED")
    page = sandbox.http.get(f"/wallet/native?pr={code}").text
    assert "expired" in page and "<button" not in page


def test_cancelling_on_the_phone_charges_nothing(sandbox: Running) -> None:
    number, code = new_order(sandbox)
    form = {"answer": "cancel", "return_url": "//evil.example/"}
    page = sandbox.http.post(f"/wallet/{code}", data=form, follow_redirects=True).text
    assert "Cancelled" in page and "evil" not in page
    assert state(sandbox, number) == "NOTPAY"


def test_refunds_up_to_what_was_paid(sandbox: Running, shop: Shop) -> None:
    number = paid_order(sandbox)
    first, second = f"rf{number}1", f"rf{number}2"
    begun = refund(sandbox, number, first, 590)
    assert (begun.state, begun.amount) == ("PROCESSING", 590)
    assert refund(sandbox, number, first, 590).refund_id == begun.refund_id
    assert refused(lambda: refund(sandbox, number, first, 591)) == "INVALID_REQUEST"
    assert refused(lambda: refund(sandbox, number, f"rf{number}3", 2001)) == "INVALID_REQUEST"
    assert refused(lambda: refund(sandbox, number, f"rf{number}3", 100, 2591)) == "INVALID_REQUEST"
    sandbox.faults(not_enough=True)
    assert refused(lambda: refund(sandbox, number, second, 2000)) == "NOT_ENOUGH"
    sandbox.faults()
    refund(sandbox, number, second, 2000)
    assert refused(lambda: refund(sandbox, number, f"rf{number}3", 1)) == "INVALID_REQUEST"
    assert state(sandbox, number) == "REFUND"
    until(lambda: len(shop.of(first)) == len(shop.of(second)) == 1)
    told = check_refund(shop.of(second)[0].resource, sandbox.gateway.config.mchid)
    assert told == sandbox.gateway.query_refund(out_refund_no=second)
    assert (told.state, told.amount) == ("SUCCESS", 2000)
    assert sandbox.gateway.query_refund(out_refund_no="never") is None
    assert refused(lambda: refund(sandbox, "never-heard-of", "rf1", 1, 1)) == "RESOURCE_NOT_EXISTS"


def test_an_unpaid_order_has_nothing_to_refund(sandbox: Running) -> None:
    number, _ = new_order(sandbox)
    assert refused(lambda: refund(sandbox, number, "rf1", 1)) == "INVALID_REQUEST"


def test_a_refused_notification_comes_again_with_the_same_id(sandbox: Running, shop: Shop) -> None:
    number, _ = new_order(sandbox)
    shop.failing[number] = 3
    pay(sandbox, number)
    until(lambda: len(shop.of(number)) == 4)
    assert len({one.id for one in shop.of(number)}) == 1
    until(lambda: len(sandbox.tries(shop.of(number)[0].id)) >= 4)
    tries = [one for one in sandbox.tries(shop.of(number)[0].id) if one["kind"] == "notification"]
    assert [one["status"] for one in tries] == [500, 500, 500, 200]
    gaps = [after["at_wall"] - before["at_wall"] for before, after in itertools.pairwise(tries)]
    for gap, rung in zip(gaps, (15, 15, 30), strict=True):
        assert rung / SPEED <= gap < rung / SPEED + 0.5


def test_probes_are_sent_and_refused(sandbox: Running, shop: Shop) -> None:
    for _ in range(2):
        number = paid_order(sandbox)
        until(lambda number=number: shop.of(number))  # type: ignore[misc]
    until(lambda: "signtest_probe" in shop.refused)
    log = sandbox.http.get("/sandbox/deliveries?limit=10000").json()["deliveries"]
    probes = [one for one in log if one["kind"] == "probe"]
    assert probes and all(one["status"] == 401 and not one["error"] for one in probes)


def test_duplicates_and_dropped_and_delayed_notifications(sandbox: Running, shop: Shop) -> None:
    sandbox.faults(duplicate_notifications=4)
    number = paid_order(sandbox)
    until(lambda: len(shop.of(number)) == 5)
    sandbox.faults(drop_notifications=True)
    lost = paid_order(sandbox)
    sandbox.faults(delay_notifications=0.6)
    begun = time.monotonic()
    late = paid_order(sandbox)
    until(lambda: shop.of(late))
    assert time.monotonic() - begun >= 0.6
    assert shop.of(lost) == [] and state(sandbox, lost) == "SUCCESS"
    assert sandbox.http.post("/sandbox/faults", json={"explode": True}).status_code == 400


def test_an_answer_of_500_says_nothing_about_what_was_done(sandbox: Running) -> None:
    sandbox.faults(fail_next=1)
    with pytest.raises(ProviderUnavailable):
        new_order(sandbox)
    number = paid_order(sandbox)
    sandbox.faults(fail_after_next=1)
    with pytest.raises(ProviderUnavailable):
        refund(sandbox, number, f"rf{number}", 590)
    assert sandbox.gateway.query_refund(out_refund_no=f"rf{number}") is not None
    assert refund(sandbox, number, f"rf{number}", 590).amount == 590


def test_too_slow_is_unavailable(sandbox: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    assert gateway_module.TIMEOUT_SECONDS == 3
    monkeypatch.setattr(gateway_module, "TIMEOUT_SECONDS", 0.5)
    sandbox.faults(slow=1.5)
    begun = time.monotonic()
    with pytest.raises(ProviderUnavailable, match="Timeout"):
        new_order(sandbox)
    assert time.monotonic() - begun < 1.4


def test_nobody_listening_is_unavailable(sandbox: Running) -> None:
    elsewhere = WechatGateway(replace(sandbox.gateway.config, base_url="http://127.0.0.1:1"))
    with pytest.raises(ProviderUnavailable):
        elsewhere.query(out_trade_no="whatever")


def test_a_request_signed_by_another_is_refused(sandbox: Running) -> None:
    from highstreet.trade.payments.sandbox.crypto import generate_keys

    stranger = generate_keys().config.merchant_private_key_pem
    thief = WechatGateway(replace(sandbox.gateway.config, merchant_private_key_pem=stranger))
    assert refused(lambda: thief.query(out_trade_no="whatever")) == "SIGN_ERROR"
    assert sandbox.http.get("/v3/certificates").status_code == 401


def test_an_answer_signed_by_another_is_not_believed(sandbox: Running) -> None:
    from highstreet.trade.payments.sandbox.crypto import generate_keys

    number, _ = new_order(sandbox)
    known = sandbox.gateway.config.platform_certificates
    others = next(iter(generate_keys().config.platform_certificates.values()))
    fooled = WechatGateway(replace(sandbox.gateway.config, platform_certificates=dict.fromkeys(known, others)))
    with pytest.raises(ProviderUnavailable, match="signature"):
        fooled.query(out_trade_no=number)


def test_a_request_sent_again_is_refused(sandbox: Running) -> None:
    from wechatpayv3.utils import build_authorization, load_private_key

    config = sandbox.gateway.config
    key = load_private_key(config.merchant_private_key_pem)  # type: ignore[no-untyped-call]
    header = build_authorization(  # type: ignore[no-untyped-call]
        "/v3/certificates", "GET", config.mchid, config.merchant_serial, key
    )
    answers = [sandbox.http.get("/v3/certificates", headers={"Authorization": header}) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 401]
    assert answers[1].json()["code"] == "SIGN_ERROR"


def test_the_client_can_open_the_certificates(sandbox: Running) -> None:
    from wechatpayv3.core import Core
    from wechatpayv3.utils import aes_decrypt

    config = sandbox.gateway.config
    core = sandbox.gateway._client._core
    assert isinstance(core, Core) and core._gate_way == sandbox.root
    status, text = core.request("/v3/certificates")  # type: ignore[no-untyped-call]
    entry = httpx.Response(status, text=text).json()["data"][0]
    sealed = {name: entry["encrypt_certificate"][name] for name in ("nonce", "ciphertext", "associated_data")}
    pem = aes_decrypt(apiv3_key=config.api_v3_key, **sealed)  # type: ignore[no-untyped-call]
    assert config.platform_certificates == {entry["serial_no"]: pem}


def test_what_no_provider_takes_is_not_sent(sandbox: Running) -> None:
    soon = clock.now() + timedelta(minutes=5)
    for number, amount in (("a/../b-long", 1), ("good-number", 0), ("good-number", True), ("x", 1)):
        with pytest.raises(ValueError):
            sandbox.gateway.create_native(out_trade_no=number, description="tea", amount=amount, expires_at=soon)


def test_killed_and_started_again_it_remembers_and_goes_on(sandbox: Running, shop: Shop) -> None:
    number, _ = new_order(sandbox)
    shop.failing[number] = 2
    pay(sandbox, number)
    until(lambda: shop.of(number))
    keys_before = (sandbox.state_dir / "sandbox.json").read_bytes()
    sandbox.kill()
    sandbox.start()
    assert (sandbox.state_dir / "sandbox.json").read_bytes() == keys_before
    assert state(sandbox, number) == "SUCCESS"
    until(lambda: len(shop.of(number)) >= 3)
    assert len({one.id for one in shop.of(number)}) == 1
