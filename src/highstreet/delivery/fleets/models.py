"""Fleets, where they are used, what was given to them, the inbox of what they told, and what somebody must look at."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from highstreet.kernel.ids import new_id
from highstreet.kernel.policy import SYSTEM, Actor
from highstreet.supply.stores import reads as stores


class FleetQuerySet(models.QuerySet["Fleet"]):
    def visible_to(self, actor: Actor) -> FleetQuerySet:
        """The actor's organisation's, for who works in all of its stores."""
        if actor.kind == SYSTEM:
            return self
        if actor.organisation_id is None or not stores.works_everywhere(actor):
            return self.none()
        return self.filter(organisation_id=actor.organisation_id)


class Fleet(models.Model):
    """An organisation's account with a fleet. `secrets` is a sealed JSON object of what the provider asks for;
    `base_url` is where its API is, when it is not the provider's usual address."""

    id = models.UUIDField(primary_key=True, default=new_id)
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    provider = models.CharField(max_length=12)
    name = models.CharField(max_length=60)
    base_url = models.CharField(max_length=200, default="")
    secrets = models.TextField()
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    objects = FleetQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["organisation"], condition=Q(removed_at=None), name="fleet_live")]


class FleetUse(models.Model):
    """Deliveries of `store`, or of all the city's stores that name no fleet of their own, go to `fleet`.

    `shop_no` is the store's number there; the fleet counts for `couriers` of our own when times are promised.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="uses")
    city = models.ForeignKey("organisations.City", on_delete=models.PROTECT, related_name="+")
    store = models.ForeignKey("stores.Store", null=True, on_delete=models.PROTECT, related_name="+")
    shop_no = models.CharField(max_length=64, default="")
    couriers = models.IntegerField()
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["city"], condition=Q(ended_at=None, store=None), name="fleet_of_a_city_once"
            ),
            models.UniqueConstraint(
                fields=["store"], condition=Q(ended_at=None, store__isnull=False), name="fleet_of_a_store_once"
            ),
            models.CheckConstraint(condition=Q(couriers__gte=1) & Q(couriers__lte=1000), name="fleet_couriers_sane"),
        ]


class FleetOrder(models.Model):
    """One try to have a fleet bring a delivery. `number` is ours at the provider, the same however often we ask.

    `told` is the farthest state that the fleet told (in our words) since `since`, `code` the fleet's own for it;
    `behind`: our delivery could not follow yet. `next_at` is when it is our turn to call, or to ask after silence.
    `fee` is what the fleet quoted (fen), `charged` what we owe it for this order by our books.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    fleet = models.ForeignKey(Fleet, on_delete=models.PROTECT, related_name="+")
    delivery_id = models.UUIDField()
    order_id = models.UUIDField(db_index=True)
    order_number = models.CharField(max_length=12)
    store = models.ForeignKey("stores.Store", on_delete=models.PROTECT, related_name="+")
    attempt = models.SmallIntegerField()
    number = models.CharField(max_length=32, unique=True)
    shop_no = models.CharField(max_length=64, default="")
    status = models.CharField(max_length=8, default="asked")
    told = models.CharField(max_length=12, default="waiting")
    code = models.CharField(max_length=8, default="")
    since = models.DateTimeField()
    behind = models.BooleanField(default=False)
    reason = models.CharField(max_length=60, default="")
    provider_id = models.CharField(max_length=64, default="")
    fee = models.BigIntegerField(null=True)
    charged = models.BigIntegerField(default=0, db_default=0)
    courier_name = models.CharField(max_length=60, default="")
    courier_phone = models.CharField(max_length=20, default="")
    courier_at = models.DateTimeField(null=True)
    promised_to = models.DateTimeField()
    tries = models.IntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)
    heard_at = models.DateTimeField()
    created_at = models.DateTimeField()
    placed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery_id", "attempt"], name="fleet_order_attempt_once"),
            models.UniqueConstraint(
                fields=["delivery_id"], condition=Q(status__in=["asked", "placed"]), name="fleet_order_live_once"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["asked", "placed", "stopping", "dropped", "done", "lost", "stopped"]),
                name="fleet_order_status_known",
            ),
            models.CheckConstraint(condition=Q(charged__gte=0), name="fleet_order_charged_sane"),
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="fleet_order_due"),
            models.Index(fields=["fleet", "-created_at"], name="fleet_order_of_fleet"),
            models.Index(fields=["id"], condition=Q(behind=True), name="fleet_order_behind"),
        ]


class FleetEvent(models.Model):
    """The inbox: a verified callback, unique on the fleet and what it says, applied by a job."""

    id = models.UUIDField(primary_key=True, default=new_id)
    fleet = models.ForeignKey(Fleet, on_delete=models.PROTECT, related_name="+")
    event_id = models.CharField(max_length=64)
    number = models.CharField(max_length=64)
    code = models.CharField(max_length=16)
    resource = models.JSONField()
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=60, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["fleet", "event_id"], name="fleet_inbox_once")]
        indexes = [
            models.Index(fields=["received_at"], condition=Q(applied_at=None), name="fleet_inbox_waiting"),
            models.Index(fields=["fleet", "-received_at"], name="fleet_inbox_of_fleet"),
            models.Index(fields=["number"], name="fleet_inbox_of_order"),
        ]


class FleetAlertQuerySet(models.QuerySet["FleetAlert"]):
    def visible_to(self, actor: Actor) -> FleetAlertQuerySet:
        return self.filter(fleet__in=Fleet.objects.visible_to(actor))


class FleetAlert(models.Model):
    """Somebody must look at `subject` (our number of the order at the fleet, or what it called it)."""

    id = models.UUIDField(primary_key=True, default=new_id)
    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    order_id = models.UUIDField(null=True)
    delivery_id = models.UUIDField(null=True)
    facts = models.JSONField()
    at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    objects = FleetAlertQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["fleet", "kind", "subject"], condition=Q(closed_at=None), name="fleet_alert_open_once"
            ),
        ]
