"""A fleet that says what a test wants, callbacks as the real ones are made, and a town whose first store uses it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from highstreet.delivery.dispatch.models import Delivery
from highstreet.kernel import clock, ids, ledger, outbox
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.models import StateChange
from highstreet.kernel.policy import THE_SYSTEM, Actor
from highstreet.trade.orders.actions import Placed
from highstreet.trade.orders.tests import support as shop

from .. import actions, providers, rules
from ..dialects import sealed
from ..dialects.meituan import Meituan, sign
from ..models import Fleet, FleetAlert, FleetEvent, FleetOrder
from ..providers import Asked, Called, Dialect, FleetRefused, FleetUnavailable, Known, Quote, Told
from ..steps import PAYABLE

WECHAT_SECRETS = {
    "appid": "wx5ad7bo1",
    "app_secret": "sandbox-app",
    "delivery_id": "TEST",
    "shopid": "shop-1",
    "shop_secret": "sandbox-shop",
    "openid": "o-shop",
    "token": "pushes",
    "aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
}
MEITUAN_SECRETS = {"appkey": "app-1", "secret": "sandbox-secret", "service_code": "4011"}


def wechat_callback(
    number: str,
    code: str,
    *,
    at: int = 1_772_636_400,
    name: str = "",
    phone: str = "",
    eta: int = 0,
    event: str = "update_waybill_status",
    secrets: Mapping[str, str] = WECHAT_SECRETS,
) -> Called:
    rider = {"name": name, "phone": phone, **({"reach_time": eta} if eta else {})}
    message = {
        "ToUserName": "toUser",
        "FromUserName": "fromUser",
        "CreateTime": at,
        "MsgType": "event",
        "Event": event,
        "shopid": secrets["shopid"],
        "shop_order_id": number,
        "waybill_id": f"w-{number}",
        "action_time": at,
        "order_status": int(code) if code.isdigit() else code,
        "action_msg": "",
        "agent": rider,
    }
    box = sealed.seal(
        sealed.key_of(secrets["aes_key"]), secrets["appid"], json.dumps(message).encode(), ids.random_bytes(16)
    )
    stamp, nonce = str(int(clock.wall())), ids.random_code(9)
    query = {"timestamp": stamp, "nonce": nonce, "encrypt_type": "aes"}
    query["msg_signature"] = sealed.signature(secrets["token"], stamp, nonce, box)
    return Called(query, json.dumps({"ToUserName": "toUser", "Encrypt": box}).encode())


def meituan_callback(
    number: str,
    code: str,
    *,
    at: int = 1_772_636_400,
    name: str = "",
    phone: str = "",
    secrets: Mapping[str, str] = MEITUAN_SECRETS,
) -> Called:
    fields = {
        "delivery_id": "1",
        "mt_peisong_id": f"m-{number}",
        "order_id": number,
        "status": code,
        "courier_name": name,
        "courier_phone": phone,
        "appkey": secrets["appkey"],
        "timestamp": str(at),
    }
    return Called({}, urlencode({**fields, "sign": sign(secrets["secret"], fields)}).encode())


@dataclass
class Scripted(Meituan):
    """Believes and reads as Meituan does; its answers to our calls are a test's to set."""

    down: bool = False
    lost_answers: int = 0
    says_no: str = ""
    keeps: bool = False
    deducts: int = 0
    known: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(MEITUAN_SECRETS, "")

    def _answer(self, what: str, number: str) -> None:
        self.calls.append((what, number))
        if self.down:
            raise FleetUnavailable("down")

    def quote(self, asked: Asked) -> Quote:
        self._answer("quote", asked.number)
        return Quote(700)

    def create(self, asked: Asked, quote: Quote) -> str:
        self._answer("create", asked.number)
        if self.says_no:
            raise FleetRefused(self.says_no)
        self.known.setdefault(asked.number, "0")
        if self.lost_answers:
            self.lost_answers -= 1
            raise FleetUnavailable("lost")
        return f"m-{asked.number}"

    def cancel(self, known: Known, reason: str) -> int:
        self._answer("cancel", known.number)
        if self.keeps:
            raise FleetRefused("too late")
        self.known[known.number] = "99"
        return self.deducts

    def query(self, known: Known, now: datetime) -> Told | None:
        self._answer("query", known.number)
        code = self.known.get(known.number)
        return None if code is None else Told(known.number, code, now, f"m-{known.number}")

    def count(self, what: str) -> int:
        return sum(1 for one, _ in self.calls if one == what)


def scripted() -> Scripted:
    """Registered as "meituan" until `restored`."""
    made = Scripted()
    providers.register(rules.MEITUAN, Dialect(tuple(MEITUAN_SECRETS), "https://127.0.0.1", lambda secrets, url: made))
    return made


def restored() -> None:
    providers.register(rules.MEITUAN, Dialect(tuple(MEITUAN_SECRETS), "https://peisongopen.meituan.com/api", Meituan))


def owner(organisation: UUID) -> Actor:
    return Actor(
        kind="staff",
        user_id=ids.new_id(),
        organisation_id=organisation,
        store_ids=None,
        permissions=frozenset({"fleets.manage", "console.read"}),
    )


def hire(town: shop.Town, *, store: int | None = 0, provider: str = "meituan", couriers: int = 10) -> Fleet:
    """A fleet of the town's retailer, used in one store or (None) in the whole city."""
    boss = owner(town.retailer)
    secrets = MEITUAN_SECRETS if provider == "meituan" else WECHAT_SECRETS
    made = actions.add_fleet(actor=boss, provider=provider, name=f"{provider} fleet", secrets=secrets)
    where = {"city_id": town.city} if store is None else {"store_id": town.stores[store]}
    actions.use_fleet(actor=boss, fleet_id=made, couriers=couriers, shop_no="no-1", **where)
    return Fleet.objects.get(pk=made)


def given(town: shop.Town, *, packed: bool = True) -> tuple[Placed, Delivery, FleetOrder]:
    """An order that is paid and accepted (and packed), and with the fleet."""
    placed = town.paid(2, 1)
    if packed:
        shop.pick(town, placed)
    else:
        from highstreet.trade.fulfilment import actions as fulfilments

        fulfilments.accept(actor=town.worker(), fulfilment_id=shop.package(placed).id)
        outbox.drain()
    row = Delivery.objects.get(order_id=placed.order_id)
    order = FleetOrder.objects.get(delivery_id=row.pk)
    assert actions.call(actor=THE_SYSTEM, order_id=order.pk) == "created"
    order.refresh_from_db()
    return placed, row, order


def tell(fleet: Fleet, number: str, code: str, **said: Any) -> str:
    """A callback arrives and is applied. Returns its outcome."""
    make = meituan_callback if fleet.provider == "meituan" else wechat_callback
    actions.receive_callback(actor=THE_SYSTEM, fleet_id=fleet.pk, called=make(number, code, **said))
    outcome = ""
    for event in FleetEvent.objects.filter(applied_at=None).order_by("received_at", "pk"):
        outcome = actions.apply_event(actor=THE_SYSTEM, event_id=event.pk)
    return outcome


def turn() -> None:
    """What workers do every few seconds: the sweep, then the calls that are due, then what was caused."""
    actions.look_after(actor=THE_SYSTEM)
    for key in FleetOrder.objects.filter(next_at__lte=clock.now()).values_list("pk", flat=True):
        actions.call(actor=THE_SYSTEM, order_id=key)
    outbox.drain()


def path(delivery_id: UUID) -> list[str]:
    """The states that a delivery went through."""
    rows = StateChange.objects.filter(subject=delivery_id, machine="delivery").order_by("at", "id")
    return list(rows.values_list("now", flat=True))


def alerts() -> set[str]:
    return set(FleetAlert.objects.filter(closed_at=None).values_list("kind", flat=True))


def owed(fleet: Fleet) -> int:
    """What the books say that a fleet is owed, in fen."""
    return -ledger.balance(AccountRef(fleet.pk, PAYABLE, "CNY"))


def status(placed: Placed) -> tuple[str, str, str]:
    """(order, how it ended, its delivery)."""
    order = shop.view(placed)
    return order.status, order.end_reason, Delivery.objects.get(order_id=placed.order_id).status


def refunded(placed: Placed) -> bool:
    shop.settle_refunds(placed)
    order = shop.view(placed)
    return order.captured > 0 and order.refunded == order.captured
