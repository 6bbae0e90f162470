"""What a shift is paid on top of its orders, once, in the transaction that ends it."""

from __future__ import annotations

from datetime import datetime

from highstreet.kernel import clock, ids, ledger, outbox
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.models import Posting
from highstreet.kernel.policy import Actor
from highstreet.supply.organisations import reads as organisations

from . import rules
from .events import ShiftPaid
from .models import Break, Courier, RosterShift, Shift, ShiftPay
from .reads.people import PAYABLE, SHIFT_PAY
from .reads.terms import earning_terms
from .states import HELD

DELIVERY_PAY = "courier_pay"


def settle(actor: Actor, courier: Courier, shift: Shift) -> ShiftPay:
    """Top up to the guarantee and pay the day's bonus, by the rule of the shift's start.

    The courier's row is locked: of two shifts of one day only one finds the bonus unpaid.
    """
    assert shift.ends_at is not None
    city = organisations.city(courier.city_id)
    terms = earning_terms(city.id, shift.starts_at)
    duty = (shift.starts_at, shift.ends_at)
    minutes = rules.guaranteed_minutes(duty, _planned(courier, duty), _breaks(shift, shift.ends_at))
    orders, earned = _brought(courier, duty)
    day = shift.starts_at.astimezone(city.zone).date()
    before = list(ShiftPay.objects.filter(courier=courier, day=day).values_list("orders", "bonus"))
    row = ShiftPay(
        id=ids.new_id(),
        shift=shift,
        courier=courier,
        day=day,
        minutes=minutes,
        orders=orders,
        earned=earned,
        guarantee_hour=terms.guarantee_hour,
        bonus_orders=terms.bonus_orders,
        bonus_rate=terms.bonus,
        top_up=rules.top_up(terms, minutes, earned),
        bonus=rules.bonus(terms, orders + sum(one for one, _ in before), any(paid for _, paid in before)),
        at=clock.now(),
    )
    row.save(force_insert=True)
    amount = row.top_up + row.bonus
    if amount:
        ledger.post(
            key=f"shift:{shift.pk}:pay",
            kind=SHIFT_PAY,
            cause=shift.pk,
            actor=actor,
            lines=[
                (AccountRef(city.retailer_id, DELIVERY_PAY, city.currency), amount),
                (AccountRef(courier.pk, PAYABLE, city.currency), -amount),
            ],
        )
        outbox.emit(ShiftPaid(shift.pk, courier.pk, amount, city.currency), topics=[f"courier:{courier.pk}"])
    return row


def _planned(courier: Courier, duty: rules.Period) -> list[rules.Period]:
    rows = RosterShift.objects.filter(courier=courier, status__in=HELD, starts_at__lt=duty[1], ends_at__gt=duty[0])
    return list(rows.order_by("starts_at").values_list("starts_at", "ends_at"))


def _breaks(shift: Shift, until: datetime) -> list[rules.Period]:
    rows = Break.objects.filter(shift=shift).values_list("starts_at", "ends_at")
    return [(start, end or until) for start, end in rows]


def _brought(courier: Courier, duty: rules.Period) -> tuple[int, int]:
    """How many orders the shift brought, and what they earned, by the ledger."""
    rows = Posting.objects.filter(
        owner=courier.pk, code=PAYABLE, journal__kind=DELIVERY_PAY, journal__at__gte=duty[0], journal__at__lte=duty[1]
    )
    amounts = list(rows.values_list("amount", flat=True))
    return len(amounts), -sum(amounts)
