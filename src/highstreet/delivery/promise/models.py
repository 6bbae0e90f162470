"""Courier capacity by city and quarter of an hour, couriers' reach; promises and whether they were kept."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from highstreet.kernel.ids import new_id


class CapacitySlot(models.Model):
    """How many deliveries a city's couriers can end in [starts_at, +15 min)."""

    id = models.UUIDField(primary_key=True, default=new_id)
    city = models.ForeignKey("organisations.City", on_delete=models.CASCADE, related_name="+")
    starts_at = models.DateTimeField()
    capacity = models.BigIntegerField()
    held = models.BigIntegerField(default=0)
    taken = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "starts_at"], name="capacity_slot_once"),
            models.CheckConstraint(
                condition=Q(held__gte=0) & Q(taken__gte=0) & Q(capacity__gte=0), name="capacity_not_negative"
            ),
            models.CheckConstraint(condition=Q(capacity__gte=F("held") + F("taken")), name="capacity_never_oversold"),
        ]


class CourierReach(models.Model):
    """In how many seconds a courier could be at a store for one order more, as dispatch saw it `at`."""

    store = models.OneToOneField("stores.Store", primary_key=True, on_delete=models.CASCADE, related_name="+")
    city = models.ForeignKey("organisations.City", on_delete=models.CASCADE, related_name="+")
    seconds = models.IntegerField()
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
