"""Fulfilments, their lines, pickup codes."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from highstreet.kernel.ids import new_id
from highstreet.kernel.policy import SYSTEM, Actor


class FulfilmentQuerySet(models.QuerySet["Fulfilment"]):
    def visible_to(self, actor: Actor) -> FulfilmentQuerySet:
        """Those of the actor's stores; without named stores, of its organisation or its cities."""
        if actor.kind == SYSTEM:
            return self
        if actor.store_ids is not None:
            return self.filter(store_id__in=actor.store_ids)
        if actor.organisation_id is None:
            return self.none()
        return self.filter(
            Q(store__organisation_id=actor.organisation_id) | Q(store__city__retailer_id=actor.organisation_id)
        )


class Fulfilment(models.Model):
    """One package from one store. `group` is the holds' group (the order's id, or a re-route's).

    `start_at` is when the store should begin, or began if that was earlier, null for at once; `not_before` the
    beginning of the window that the shopper chose: not at the door earlier.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    order_id = models.UUIDField(db_index=True)
    order_number = models.CharField(max_length=12)
    group = models.UUIDField()
    store = models.ForeignKey("stores.Store", on_delete=models.PROTECT, related_name="+")
    mode = models.CharField(max_length=8)
    status = models.CharField(max_length=12, default="pending")
    substitution = models.CharField(max_length=10)
    phone_tail = models.CharField(max_length=4)
    address = models.CharField(max_length=230, default="")
    note = models.CharField(max_length=200, default="")
    lat = models.FloatField()
    lon = models.FloatField()
    promised_from = models.DateTimeField()
    promised_to = models.DateTimeField()
    ready_by = models.DateTimeField()
    start_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    collect_due = models.BigIntegerField(default=0)
    handover_code = models.CharField(max_length=6)
    created_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True)
    handed_over_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    picker = models.ForeignKey("staff.Employee", null=True, on_delete=models.SET_NULL, related_name="+")
    reject_reason = models.CharField(max_length=40, default="")

    objects = FulfilmentQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["store", "status", "ready_by"], name="fulfilment_queue"),
            models.Index(
                fields=["status", "promised_to"],
                condition=Q(status__in=["pending", "accepted", "picking", "packed", "ready"]),
                name="fulfilment_open",
            ),
        ]


class FulfilmentLine(models.Model):
    """What to pick and what came of it: picked + short <= quantity, a substitute stands for short units."""

    id = models.UUIDField(primary_key=True, default=new_id)
    fulfilment = models.ForeignKey(Fulfilment, on_delete=models.CASCADE, related_name="lines")
    order_line_id = models.UUIDField()
    variant = models.ForeignKey("catalog.Variant", on_delete=models.PROTECT, related_name="+")
    quantity = models.IntegerField()
    unit_price = models.BigIntegerField()
    picked = models.IntegerField(default=0)
    short = models.IntegerField(default=0)
    substitute = models.ForeignKey("catalog.Variant", null=True, on_delete=models.PROTECT, related_name="+")
    substitute_quantity = models.IntegerField(default=0)
    substitute_state = models.CharField(max_length=10, default="")
    asked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(picked__gte=0) & Q(short__gte=0) & Q(quantity__gte=F("picked") + F("short")),
                name="fulfilment_line_within",
            ),
            models.CheckConstraint(
                condition=Q(substitute_state__in=["", "asked", "agreed", "refused"]),
                name="substitute_state_known",
            ),
        ]


class PickupCode(models.Model):
    """Single-use proof at a store. Eight digits, redeemed by one conditional UPDATE."""

    id = models.UUIDField(primary_key=True, default=new_id)
    fulfilment = models.OneToOneField(Fulfilment, on_delete=models.CASCADE, related_name="pickup_code")
    code = models.CharField(max_length=8)
    store = models.ForeignKey("stores.Store", on_delete=models.PROTECT, related_name="+")
    redeemed_at = models.DateTimeField(null=True)
    redeemed_by = models.CharField(max_length=80, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "code"], condition=Q(redeemed_at=None), name="pickup_code_once"),
        ]
