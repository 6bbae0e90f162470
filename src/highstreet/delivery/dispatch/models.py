"""Deliveries and the decisions behind them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q

from highstreet.kernel.ids import new_id

MOST_SEATS = 8
# Who chose the afternoon is nobody's work in the morning.
AHEAD = timedelta(minutes=60)


def due(now: datetime) -> Q:
    """Deliveries that are work by now: all but those that wait for a window which begins in more than an hour. One that
    somebody was given by hand is work, however early."""
    return ~Q(status="waiting") | Q(not_before=None) | Q(not_before__lte=now + AHEAD)


class Delivery(models.Model):
    """One fulfilment on its way: a pick-up and a drop-off. `sequence` orders a courier's stops.

    `pick` is the place of the pick-up in the same counting, where one ride collects at several stores; without it comes
    right before the door.
    `seat` is the place in the courier's bag: of one courier, two live deliveries never have the same one (I8).
    `pinned`: somebody decided by hand, and the dispatcher leaves it alone until the goods are picked up.
    `carrier` says who brings it: "own" couriers, or a hired "fleet", whose couriers are not ours to plan or to know.
    `not_before`: the shopper chose the window that begins then. `start_at`: else, when the store begins if that is not
    at once, so that goods and courier meet; `ready_by` is as long after it as the store needs.
    `cash`: it is paid for in cash at the door.
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
    start_at = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    seat = models.SmallIntegerField(default=0)
    pinned = models.BooleanField(default=False, db_default=False)
    sequence = models.IntegerField(default=0)
    pick = models.IntegerField(null=True)
    distance_m = models.IntegerField(default=0)
    eta = models.DateTimeField(null=True)
    pay = models.BigIntegerField(default=0)
    cash = models.BooleanField(default=False, db_default=False)
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
            models.Index(fields=["city", "created_at"], name="delivery_begun"),
        ]


class DispatchDecision(models.Model):
    """Why this courier: the policy, its cost, and the ranked alternatives.

    `basis` is what was known then of the one chosen: seconds `free`, `ride`, `wait`, `door`, the `eta`, and at how many
    `stores` the ride collects; of what rides `along` with so many, when they `leave` the store.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="decisions")
    courier = models.ForeignKey("couriers.Courier", on_delete=models.CASCADE, related_name="+")
    policy = models.CharField(max_length=20)
    cost_seconds = models.IntegerField()
    alternatives = models.JSONField(default=list)
    basis = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    at = models.DateTimeField()


class WaitingPlace(models.Model):
    """The store near which an idle courier is asked to wait, since `at`."""

    courier = models.OneToOneField("couriers.Courier", primary_key=True, on_delete=models.CASCADE, related_name="+")
    store = models.ForeignKey("stores.Store", on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()


class Override(models.Model):
    """What was decided against an earlier decision: from whom, to whom (nobody: back to waiting), why. Only added to.

    By hand, or by the dispatcher for somebody who is held up.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="overrides")
    was_courier = models.ForeignKey("couriers.Courier", null=True, on_delete=models.CASCADE, related_name="+")
    courier = models.ForeignKey("couriers.Courier", null=True, on_delete=models.CASCADE, related_name="+")
    why = models.CharField(max_length=20)
    pinned = models.BooleanField()
    actor = models.CharField(max_length=80)
    at = models.DateTimeField()


class Replay(models.Model):
    """A past day of a city asked for again under other terms; `progress` 0 to 100, `result` once it is done.

    `couriers` in per cent of the `roster`'s shifts, which are those of `other_day` where it is other; `quantile` of the
    promise; 0: as it was. `failure` is a code.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    city = models.ForeignKey("organisations.City", on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    policy = models.CharField(max_length=20)
    couriers = models.IntegerField(default=100)
    roster = models.CharField(max_length=10, default="worked", db_default="worked")
    other_day = models.DateField(null=True)
    quantile = models.IntegerField(default=0)
    progress = models.SmallIntegerField(default=0)
    result = models.JSONField(default=dict)
    failure = models.CharField(max_length=20, default="")
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(couriers__gt=0, couriers__lte=300)
                & Q(quantile__gte=0, quantile__lte=99)
                & Q(progress__gte=0, progress__lte=100),
                name="replay_sane",
            ),
            models.CheckConstraint(
                condition=Q(roster__in=["worked", "planned", "proposed"], other_day=None)
                | Q(roster="other", other_day__isnull=False) & ~Q(other_day=F("day")),
                name="replay_roster",
            ),
            models.UniqueConstraint(fields=["city"], condition=Q(finished_at=None), name="replay_one_at_a_time"),
        ]
        indexes = [models.Index(fields=["city", "-asked_at"], name="replay_of_city")]
