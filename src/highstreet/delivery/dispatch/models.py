"""Deliveries and the decisions behind them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from highstreet.kernel.ids import new_id

MOST_SEATS = 8


class Delivery(models.Model):
    """One fulfilment on its way: a pick-up and a drop-off. `sequence` orders a courier's stops.

    `seat` is the place in the courier's bag: of one courier, two live deliveries never have the same one (I8).
    `carrier` says who brings it: "own" couriers, or a hired "fleet", whose couriers are not ours to plan or to know.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    fulfilment_id = models.UUIDField(unique=True)
    order_id = models.UUIDField(db_index=True)
    order_number = models.CharField(max_length=12, default="")
    city = models.ForeignKey("organisations.City", on_delete=models.PROTECT, related_name="+")
    store = models.ForeignKey("stores.Store", on_delete=models.PROTECT, related_name="+")
    courier = models.ForeignKey("couriers.Courier", null=True, on_delete=models.PROTECT, related_name="+")
    carrier = models.CharField(max_length=8, default="own", db_default="own")
    status = models.CharField(max_length=12, default="waiting")
    lat = models.FloatField()
    lon = models.FloatField()
    promised_to = models.DateTimeField()
    ready_by = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    seat = models.SmallIntegerField(default=0)
    sequence = models.IntegerField(default=0)
    distance_m = models.IntegerField(default=0)
    eta = models.DateTimeField(null=True)
    pay = models.BigIntegerField(default=0)
    proof_kind = models.CharField(max_length=8, default="")
    proof = models.TextField(default="")
    incident = models.CharField(max_length=20, default="")
    created_at = models.DateTimeField()
    assigned_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    arrived_at = models.DateTimeField(null=True)
    picked_up_at = models.DateTimeField(null=True)
    at_door_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "waiting",
                        "assigned",
                        "accepted",
                        "at_store",
                        "picked_up",
                        "at_door",
                        "delivered",
                        "failed",
                        "returned",
                        "cancelled",
                    ]
                ),
                name="delivery_status_known",
            ),
            models.CheckConstraint(
                condition=Q(courier=None, status__in=["waiting", "cancelled"])
                | Q(courier__isnull=False, carrier="own") & ~Q(status="waiting")
                | Q(courier=None, carrier="fleet"),
                name="delivery_courier_or_fleet",
            ),
            models.CheckConstraint(condition=Q(carrier__in=["own", "fleet"]), name="delivery_carrier_known"),
            models.CheckConstraint(condition=Q(seat__gte=0) & Q(seat__lt=MOST_SEATS), name="delivery_seat_in_bag"),
            models.UniqueConstraint(
                fields=["courier", "seat"],
                condition=Q(status__in=["assigned", "accepted", "at_store", "picked_up", "at_door", "failed"]),
                name="delivery_seat_once",
            ),
        ]
        indexes = [
            models.Index(fields=["courier", "status"], name="delivery_of_courier"),
            models.Index(fields=["city", "status"], name="delivery_of_city"),
        ]


class DispatchDecision(models.Model):
    """Why this courier: the policy, its cost, and the ranked alternatives."""

    id = models.UUIDField(primary_key=True, default=new_id)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="decisions")
    courier = models.ForeignKey("couriers.Courier", on_delete=models.CASCADE, related_name="+")
    policy = models.CharField(max_length=20)
    cost_seconds = models.IntegerField()
    alternatives = models.JSONField(default=list)
    at = models.DateTimeField()
