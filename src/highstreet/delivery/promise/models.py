"""Courier capacity by zone and quarter of an hour, couriers' reach; promises and whether they were kept."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from highstreet.kernel.ids import new_id


class Zone(models.Model):
    """Shops of a city that the same couriers serve; a city without any is served as one.

    `couriers` is how many it counts on, as dispatch told; `orders` what was brought from its shops in a week and its
    shops, by which what is only known of the whole city is shared. A zone that has no shops any more keeps the rows
    that something is held of.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    city = models.ForeignKey("organisations.City", on_delete=models.CASCADE, related_name="+")
    couriers = models.IntegerField(default=0)
    orders = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(couriers__gte=0) & Q(orders__gte=0), name="zone_not_negative"),
        ]


class ZoneStore(models.Model):
    """The zone that a store lies in."""

    store = models.OneToOneField("stores.Store", primary_key=True, on_delete=models.CASCADE, related_name="+")
    zone = models.ForeignKey(Zone, on_delete=models.CASCADE, related_name="places")


class CapacitySlot(models.Model):
    """How many deliveries the couriers of a zone, or of a city that is one, can end in [starts_at, +15 min)."""

    id = models.UUIDField(primary_key=True, default=new_id)
    city = models.ForeignKey("organisations.City", null=True, on_delete=models.CASCADE, related_name="+")
    zone = models.ForeignKey(Zone, null=True, db_index=False, on_delete=models.CASCADE, related_name="+")
    starts_at = models.DateTimeField()
    capacity = models.BigIntegerField()
    held = models.BigIntegerField(default=0)
    taken = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "starts_at"], name="capacity_slot_once"),
            models.UniqueConstraint(fields=["zone", "starts_at"], name="capacity_slot_once_a_zone"),
            models.CheckConstraint(
                condition=Q(city__isnull=True, zone__isnull=False) | Q(city__isnull=False, zone__isnull=True),
                name="capacity_of_city_or_zone",
            ),
            models.CheckConstraint(
                condition=Q(held__gte=0) & Q(taken__gte=0) & Q(capacity__gte=0), name="capacity_not_negative"
            ),
            models.CheckConstraint(condition=Q(capacity__gte=F("held") + F("taken")), name="capacity_never_oversold"),
        ]


class CourierReach(models.Model):
    """In how many seconds a courier could be at a store for one order more, as dispatch saw it `at`.

    `ride_percent`: how long who comes takes to a door, of a bicycle's seconds.
    """

    store = models.OneToOneField("stores.Store", primary_key=True, on_delete=models.CASCADE, related_name="+")
    city = models.ForeignKey("organisations.City", on_delete=models.CASCADE, related_name="+")
    seconds = models.IntegerField()
    ride_percent = models.IntegerField(default=100, db_default=100)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(seconds__gte=0), name="reach_not_negative")]


class Promise(models.Model):
    """What was promised for an order, on what it rests, and what came of it.

    `units` not yet packed (`ready_at` null) are the store's load. `fulfilled_at` is the door's time, or for a pick-up
    when it was ready. `begins_at`: the shopper chose the window, and the store begins then; null: as soon as possible.
    `start_at`: as soon as possible, but the store begins only then, or began, as the courier comes later.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    order_id = models.UUIDField(unique=True)
    city = models.ForeignKey("organisations.City", on_delete=models.CASCADE, related_name="+")
    store = models.ForeignKey("stores.Store", on_delete=models.CASCADE, related_name="+")
    mode = models.CharField(max_length=8)
    quantile = models.IntegerField(default=90)
    promised_from = models.DateTimeField()
    promised_to = models.DateTimeField()
    basis = models.JSONField()
    units = models.IntegerField(default=0)
    ready_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField(db_index=True)
    begins_at = models.DateTimeField(null=True)
    start_at = models.DateTimeField(null=True)
    fulfilled_at = models.DateTimeField(null=True)
    late_seconds = models.IntegerField(null=True)
    outcome = models.CharField(max_length=10, default="open")
    compensation = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(promised_to__gt=F("promised_from")) & Q(outcome__in=["open", "kept", "broken", "void"]),
                name="promise_sane",
            ),
        ]
        indexes = [
            models.Index(fields=["store"], condition=Q(outcome="open"), name="promise_open_of_store"),
            models.Index(fields=["city", "mode", "fulfilled_at"], name="promise_fulfilled"),
        ]
