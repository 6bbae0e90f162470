"""Find or make the customer of an order; remember where orders go."""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from highstreet.kernel import clock, ids, rows
from highstreet.kernel.policy import PUBLIC, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_SIGNED_IN

from .. import reads
from ..models import Address, Customer
from ..rules import PERSONALISATION


@action(PUBLIC)
def of_phone(*, actor: Actor, phone: str, name: str = "", language: str = "zh-hans") -> UUID:
    """The customer behind an order: the signed-in one, else a new guest.

    A guest's phone proves nothing, so it never finds an existing customer. Refuses NOT_SIGNED_IN when the user was
    erased meanwhile.
    """
    if actor.user_id is not None:
        known = _customer_of(actor.user_id)
        if known is None:
            row, _ = Customer.objects.get_or_create(
                user_id=actor.user_id,
                defaults={
                    "id": ids.new_id(),
                    "phone": phone,
                    "name": name,
                    "language": language,
                    "created_at": clock.now(),
                },
            )
            return row.pk
        customer_id, before = known
        if phone and before != phone:
            Customer.objects.filter(pk=customer_id).update(phone=phone)
        return customer_id
    guest = Customer(id=ids.new_id(), phone=phone, name=name, language=language, created_at=clock.now())
    rows.put([guest])
    return guest.pk


@action(PUBLIC)
def remember_address(*, actor: Actor, customer_id: UUID, text: str, unit: str, lat: float, lon: float) -> UUID | None:
    """Keep an address of a customer; the same text again only becomes the latest. None if they do not want that."""
    if not reads.consented(actor, PERSONALISATION):
        return None
    row, _ = Address.objects.update_or_create(
        customer_id=customer_id,
        text=text,
        unit=unit,
        defaults={"lat": lat, "lon": lon, "used_at": clock.now()},
        create_defaults={"id": ids.new_id(), "lat": lat, "lon": lon, "used_at": clock.now()},
    )
    return row.pk


def _customer_of(user_id: UUID) -> tuple[UUID, str] | None:
    """A user's customer and phone number, kept from erasure until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.id, c.phone FROM accounts_user u LEFT JOIN customers_customer c ON c.user_id = u.id "
            "WHERE u.id = %s AND u.is_active FOR KEY SHARE OF u",
            [user_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise Refused(NOT_SIGNED_IN)
    return (row[0], row[1]) if row[0] is not None else None
