"""Tables of the kernel: holds, the ledger, the outbox, idempotency records and state histories."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q

from .ids import new_id


class Hold(models.Model):
    """A claim with an expiry on anything scarce; one row a claim, one `group` for all of an order's."""

    id = models.UUIDField(primary_key=True, default=new_id)
    group = models.UUIDField()
    kind = models.CharField(max_length=32)
    resource = models.UUIDField()
    quantity = models.BigIntegerField()
    consumed = models.BigIntegerField(default=0)
    state = models.CharField(max_length=10, default="held")
    at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "kind", "resource"], name="hold_once_a_group"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="hold_quantity_positive"),
            models.CheckConstraint(
                condition=Q(consumed__gte=0) & Q(consumed__lte=F("quantity")), name="hold_consumed_within"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["held", "confirmed", "consumed", "released", "expired"]),
                name="hold_state_known",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state="held"), name="hold_due"),
            models.Index(fields=["kind", "resource"], condition=Q(state__in=["held", "confirmed"]), name="hold_live"),
        ]


class Journal(models.Model):
    """One transaction of the ledger. `key` makes posting the same fact twice impossible."""

    id = models.UUIDField(primary_key=True, default=new_id)
    key = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=40)
    cause = models.UUIDField(db_index=True)
    at = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=80)


class Posting(models.Model):
    """One side of a journal: debit > 0, credit < 0, in minor units. Immutable; a journal sums to 0 in every currency.

    The account is (owner, code, currency). No row stands for it and no balance is stored, so postings of
    different transactions never wait for each other.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    journal = models.ForeignKey(Journal, on_delete=models.PROTECT, related_name="postings")
    owner = models.UUIDField()
    code = models.CharField(max_length=48)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="posting_not_zero")]
        indexes = [models.Index("owner", "code", "currency", include=["amount"], name="posting_balance")]


class OutboxEvent(models.Model):
    """A fact that happened, written with its effect. `id` orders the event streams."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=60)
    payload = models.JSONField()
    topics = models.JSONField(default=list)
    at = models.DateTimeField(db_index=True)


class OutboxDelivery(models.Model):
    """One handler's duty to one event; done in the transaction of the handler's effect."""

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(OutboxEvent, on_delete=models.CASCADE, related_name="deliveries")
    handler = models.CharField(max_length=120)
    done_at = models.DateTimeField(null=True)
    failures = models.IntegerField(default=0)
    error = models.TextField(default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "handler"], name="delivery_once")]
        indexes = [models.Index(fields=["id"], condition=Q(done_at=None), name="delivery_pending")]


class IdempotencyRecord(models.Model):
    """The answer given to (subject, endpoint, key), written in the transaction of its effect."""

    id = models.UUIDField(primary_key=True, default=new_id)
    subject = models.CharField(max_length=80)
    endpoint = models.CharField(max_length=120)
    key = models.CharField(max_length=80)
    request_hash = models.CharField(max_length=64)
    status = models.IntegerField(null=True)
    body = models.JSONField(null=True)
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "endpoint", "key"], name="idempotency_once"),
        ]


class StateChange(models.Model):
    """The path that a row took through its machine."""

    id = models.UUIDField(primary_key=True, default=new_id)
    machine = models.CharField(max_length=32)
    subject = models.UUIDField()
    event = models.CharField(max_length=32)
    was = models.CharField(max_length=24)
    now = models.CharField(max_length=24)
    actor = models.CharField(max_length=80)
    note = models.CharField(max_length=200, default="")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["subject", "machine", "at"], name="state_path")]


class Trail(models.Model):
    """Who did what to which objects: a row an action, only ever added. `actor` is kind:id; `request` finds the logs."""

    id = models.UUIDField(primary_key=True, default=new_id)
    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    organisation_id = models.UUIDField(null=True)
    request = models.CharField(max_length=40)
    action = models.CharField(max_length=80)
    permission = models.CharField(max_length=40)
    subjects = ArrayField(models.UUIDField())
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["organisation_id", "-at", "-id"], name="trail_of_organisation"),
            models.Index(fields=["actor", "-at"], name="trail_of_actor"),
            GinIndex(fields=["subjects"], name="trail_of_object"),
        ]


class Guess(models.Model):
    """How often a subject tried without being right since `since` (see `guesses`)."""

    kind = models.CharField(max_length=20)
    subject = models.CharField(max_length=120)
    tries = models.IntegerField()
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "subject"], name="guess_once")]


class Heartbeat(models.Model):
    """The last sign of a process or of a thing done now and then; `at` by the wall clock, one row a name.

    `dispatch` at each epoch, `audit`, `backup`: what they last found, in `facts`.
    """

    name = models.CharField(max_length=80, primary_key=True)
    at = models.DateTimeField()
    facts = models.JSONField(default=dict)
