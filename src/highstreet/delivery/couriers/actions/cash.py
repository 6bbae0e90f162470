"""A store's till takes the cash that a courier took at doors."""

from __future__ import annotations

from uuid import UUID

from highstreet.kernel import clock, ids, ledger
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.money import MAX_AMOUNT, in_words
from highstreet.kernel.policy import Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID, KEY_REUSED
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores
from highstreet.trade.payments.rules import COURIER_CASH

from .. import held
from ..models import CashHandIn
from ..reads.cash import HandInView, view_of
from ..refusals import NOT_SO_MUCH_IN_HAND

MAX_KEY = 80


@action("fulfilment.work")
def take_cash(*, actor: Actor, store_id: UUID, courier_id: UUID, amount: int, key: str) -> HandInView:
    """`amount` fen of what a courier of the store's city has in hand are in the store's till now.

    The same `key` of the same person again is the same hand-in. Refuses NOT_SO_MUCH_IN_HAND; of two tills at once the
    second looks at what the first has left.
    """
    shop = stores.must_work_at(actor, store_id)
    if type(amount) is not int or not 0 < amount <= MAX_AMOUNT:
        raise Refused(INVALID, field="amount", problem=str(amount)[:20])
    if not 0 < len(key) <= MAX_KEY:
        raise Refused(INVALID, field="key", problem=f"1-{MAX_KEY}")
    courier = held.of_city(shop.city_id, courier_id)
    key = f"{actor.name}:{key}"
    known = CashHandIn.objects.select_related("courier", "store").filter(key=key).first()
    if known is not None:
        if (known.store_id, known.courier_id, known.amount) != (store_id, courier.pk, amount):
            raise Refused(KEY_REUSED)
        return view_of(known)
    city = organisations.city(shop.city_id)
    in_hand = AccountRef(courier.pk, COURIER_CASH, city.currency)
    left = ledger.balance(in_hand) - amount
    if left < 0:
        raise Refused(NOT_SO_MUCH_IN_HAND, amount=in_words(left + amount), in_hand=left + amount)
    row = CashHandIn(
        id=ids.new_id(),
        key=key,
        courier=courier,
        store_id=store_id,
        amount=amount,
        left=left,
        currency=city.currency,
        taken_by=actor.name,
        at=clock.now(),
    )
    CashHandIn.objects.bulk_create([row], ignore_conflicts=True)
    if not CashHandIn.objects.filter(pk=row.pk).exists():
        # For another courier, at the same moment: whose lock this one did not wait for.
        raise Refused(KEY_REUSED)
    ledger.post(
        key=f"hand_in:{row.pk}",
        kind="cash_handed_in",
        cause=row.pk,
        actor=actor,
        lines=[(AccountRef(city.retailer_id, "store_cash", city.currency), amount), (in_hand, -amount)],
    )
    return view_of(row)
