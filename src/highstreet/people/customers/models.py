"""Customers, their addresses, and what people agreed to."""

from __future__ import annotations

from django.db import models

from highstreet.kernel.ids import new_id


class Customer(models.Model):
    """Who buys. A guest becomes a customer without a user when the first order is placed."""

    id = models.UUIDField(primary_key=True, default=new_id)
    user = models.OneToOneField("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    phone = models.CharField(max_length=20, db_index=True)
    name = models.CharField(max_length=60, default="")
    language = models.CharField(max_length=8, default="zh-hans")
    created_at = models.DateTimeField()


class Address(models.Model):
    """Where a customer's orders go; WGS-84 degrees."""

    id = models.UUIDField(primary_key=True, default=new_id)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="addresses")
    text = models.CharField(max_length=160)
    unit = models.CharField(max_length=60, default="")
    lat = models.FloatField()
    lon = models.FloatField()
    used_at = models.DateTimeField()


class Consent(models.Model):
    """One yes or no, never changed (a trigger sees to that); the latest of a subject and purpose counts.

    `subject` is a user's id, or a guest browser's random number. `wording` is the version of the text that was
    shown, `language` the one it was shown in, `channel` where: page or api. No address is kept.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    subject = models.UUIDField()
    purpose = models.CharField(max_length=24)
    given = models.BooleanField()
    wording = models.SmallIntegerField()
    language = models.CharField(max_length=8)
    channel = models.CharField(max_length=8)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["subject", "purpose", "-at", "-id"], name="consent_now")]


class Erasure(models.Model):
    """That somebody was forgotten, and how much of them: numbers that lead to nobody any more."""

    id = models.UUIDField(primary_key=True, default=new_id)
    customers = models.JSONField()
    users = models.JSONField()
    rows = models.IntegerField()
    actor = models.CharField(max_length=80)
    at = models.DateTimeField()
