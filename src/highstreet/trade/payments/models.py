"""Intents, the inbox of provider callbacks, refunds."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from highstreet.kernel.ids import new_id
from highstreet.kernel.policy import SYSTEM, Actor
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores


class PaymentIntent(models.Model):
    """What is to be paid for `payable` (an order). `out_trade_no` is our number at the provider,
    `openid` the payer's where the provider's own window is used."""

    id = models.UUIDField(primary_key=True, default=new_id)
    payable = models.UUIDField(db_index=True)
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    provider = models.CharField(max_length=12)
    status = models.CharField(max_length=10, default="created")
    out_trade_no = models.CharField(max_length=32, unique=True)
    amount = models.BigIntegerField()
    captured = models.BigIntegerField(default=0)
    refunded = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    code_url = models.CharField(max_length=200, default="")
    provider_id = models.CharField(max_length=64, default="")
    openid = models.CharField(max_length=128, default="")
    description = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(captured__gte=0)
                & Q(captured__lte=F("amount"))
                & Q(refunded__gte=0)
                & Q(refunded__lte=F("captured")),
                name="intent_refunded_captured_authorised",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["created", "captured", "closed", "failed"]), name="intent_status_known"
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(status="created"), name="intent_open"),
        ]


class TransactionEvent(models.Model):
    """The inbox: a verified notification, unique on the provider's id, applied by a job."""

    id = models.UUIDField(primary_key=True, default=new_id)
    provider = models.CharField(max_length=12)
    event_id = models.CharField(max_length=64)
    event_type = models.CharField(max_length=40)
    resource = models.JSONField()
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=60, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "event_id"], name="inbox_once")]
        indexes = [models.Index(fields=["received_at"], condition=Q(applied_at=None), name="inbox_waiting")]


class AlertQuerySet(models.QuerySet["Alert"]):
    def visible_to(self, actor: Actor) -> AlertQuerySet:
        """Those of the actor's organisation, for who works for all of it; with nobody's where it runs the platform."""
        if actor.kind == SYSTEM:
            return self
        own = actor.organisation_id
        if own is None or not stores.works_everywhere(actor):
            return self.none()
        seen = Q(organisation_id=own)
        return self.filter(seen | Q(organisation=None) if organisations.runs_platform(own) else seen)


class Alert(models.Model):
    """A genuine callback that does not fit what we asked for; someone must look.

    `organisation` is whose payment it is about; null where nobody can say (an unknown order, another merchant's).
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    organisation = models.ForeignKey(
        "organisations.Organisation", null=True, on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    facts = models.JSONField()
    at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    objects = AlertQuerySet.as_manager()


class Refund(models.Model):
    """Money on its way back; `key` makes asking twice one refund."""

    id = models.UUIDField(primary_key=True, default=new_id)
    intent = models.ForeignKey(PaymentIntent, on_delete=models.PROTECT, related_name="refunds")
    key = models.CharField(max_length=120, unique=True)
    out_refund_no = models.CharField(max_length=32, unique=True)
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=60)
    status = models.CharField(max_length=10, default="requested")
    provider_id = models.CharField(max_length=64, default="")
    tries = models.IntegerField(default=0)
    created_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_positive"),
            models.CheckConstraint(
                condition=Q(status__in=["requested", "sent", "succeeded", "failed"]), name="refund_status_known"
            ),
        ]
        indexes = [
            models.Index(fields=["checked_at"], condition=Q(status__in=["requested", "sent"]), name="refund_open"),
        ]
