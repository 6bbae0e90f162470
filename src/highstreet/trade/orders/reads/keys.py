"""Whose order a key is, for who asks after their own data."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from highstreet.kernel.policy import Actor
from highstreet.trade.cart.rules import is_key

from ..models import Order
from ..rules import clean_phone


class OrderKeys:
    """Fills `customers.ports.order_keys`."""

    def guests(self, keys: Iterable[str]) -> list[UUID]:
        known = [key for key in keys if is_key(key)]
        rows = Order.objects.filter(key__in=known, customer__user=None).order_by("customer_id")
        return list(rows.values_list("customer_id", flat=True).distinct())

    def proved(self, actor: Actor, key: str, phone: str) -> UUID | None:
        number = clean_phone(phone)
        if number is None or not is_key(key):
            return None
        rows = Order.objects.visible_to(actor).filter(key=key, phone=number)
        return rows.values_list("customer_id", flat=True).first()

    def all_seen(self, actor: Actor, customer: UUID) -> bool:
        own = Order.objects.filter(customer_id=customer)
        return not own.exclude(pk__in=Order.objects.visible_to(actor).values("pk")).exists()
