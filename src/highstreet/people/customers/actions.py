"""Find or make the customer of an order; remember where orders go."""

from __future__ import annotations

from uuid import UUID

from highstreet.kernel import clock, ids, rows
from highstreet.kernel.policy import PUBLIC, Actor, action

from .models import Address, Customer


@action(PUBLIC)
def of_phone(*, actor: Actor, phone: str, name: str = "", language: str = "zh-hans") -> UUID:
    """The customer behind an order: the signed-in one, else a new guest.

    A guest's phone proves nothing, so it never finds an existing customer.
    """
    if actor.user_id is not None:
        row, created = Customer.objects.get_or_create(
            user_id=actor.user_id,
            defaults={
                "id": ids.new_id(),
                "phone": phone,
                "name": name,
                "language": language,
                "created_at": clock.now(),
            },
        )
        if not created and phone and row.phone != phone:
            Customer.objects.filter(pk=row.pk).update(phone=phone)
        return row.pk
    guest = Customer(id=ids.new_id(), phone=phone, name=name, language=language, created_at=clock.now())
    rows.put([guest])
    return guest.pk


@action(PUBLIC)
def remember_address(*, actor: Actor, customer_id: UUID, text: str, unit: str, lat: float, lon: float) -> UUID:
    """Keep an address of a customer; the same text again only becomes the latest."""
    row, _ = Address.objects.update_or_create(
        customer_id=customer_id,
        text=text,
        unit=unit,
        defaults={"lat": lat, "lon": lon, "used_at": clock.now()},
        create_defaults={"id": ids.new_id(), "lat": lat, "lon": lon, "used_at": clock.now()},
    )
    return row.pk
