"""API keys; endpoints, what was said to them, and how each try went."""

from __future__ import annotations

from django.db import models
from django.db.models import Q, Value

from highstreet.kernel.ids import new_id


class ApiKey(models.Model):
    """A bearer token of an organisation; only its SHA-256 is kept. It counts at `stores`, in the stores that `city` has
    when it is used, or (both null) in all of the organisation's.

    `limits`: what it may at most, for scopes with a unit (people.staff.policy).
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)
    prefix = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField()
    stores = models.JSONField(null=True)
    city = models.ForeignKey(
        "organisations.City", null=True, db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    limits = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    made_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["organisation", "-created_at", "-id"], name="key_of_organisation")]
        constraints = [
            models.CheckConstraint(condition=Q(stores__isnull=True) | Q(city=None), name="key_in_stores_or_a_city"),
        ]


class Endpoint(models.Model):
    """Where an organisation hears of its orders. Secrets are sealed; the old one signs until `old_until`."""

    id = models.UUIDField(primary_key=True, default=new_id)
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    url = models.CharField(max_length=500)
    events = models.JSONField()
    active = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=12, default="")
    secret = models.TextField()
    old_secret = models.TextField(default="")
    old_until = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(disabled_reason__in=["", "person", "gone", "failing"]), name="endpoint_reason_known"
            ),
            models.CheckConstraint(
                condition=Q(active=True, disabled_reason="") | Q(active=False) & ~Q(disabled_reason=""),
                name="endpoint_says_why_it_is_off",
            ),
        ]
        indexes = [models.Index(fields=["organisation"], condition=Q(removed_at=None), name="endpoint_live")]


class Message(models.Model):
    """One event as told to one organisation, byte for byte; `event` is its number in the outbox."""

    id = models.UUIDField(primary_key=True, default=new_id)
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    event = models.BigIntegerField()
    type = models.CharField(max_length=40)
    entity = models.UUIDField()
    body = models.TextField()
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "event"], name="message_once")]


class Sending(models.Model):
    """The duty to tell a message to an endpoint. Of one entity only the first that waits may go out."""

    id = models.UUIDField(primary_key=True, default=new_id)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="+")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    event = models.BigIntegerField()
    entity = models.UUIDField()
    status = models.CharField(max_length=8, default="waiting")
    tries = models.IntegerField(default=0)
    next_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "message"], name="sending_once"),
            models.CheckConstraint(condition=Q(status__in=["waiting", "sent", "failed"]), name="sending_status_known"),
        ]
        indexes = [
            models.Index(fields=["endpoint", "entity", "event"], condition=Q(status="waiting"), name="sending_queue"),
            models.Index(fields=["next_at"], condition=Q(status="waiting"), name="sending_due"),
            models.Index(fields=["endpoint", "-created_at", "-id"], name="sending_log"),
        ]


class Attempt(models.Model):
    """One try: what the endpoint answered (its first 500 characters), or why there was no answer."""

    id = models.UUIDField(primary_key=True, default=new_id)
    sending = models.ForeignKey(Sending, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    duration_ms = models.IntegerField()
    status = models.IntegerField(null=True)
    error = models.CharField(max_length=16, default="")
    answer = models.CharField(max_length=500, default="")
