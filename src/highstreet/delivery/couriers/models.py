"""Couriers, shifts, positions."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from highstreet.kernel.ids import new_id


class Courier(models.Model):
    """Who brings orders; `capacity` is how many packages at once. A position is kept only while on shift."""

    id = models.UUIDField(primary_key=True, default=new_id)
    user = models.OneToOneField("accounts.User", on_delete=models.CASCADE, related_name="+")
    city = models.ForeignKey("organisations.City", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)
    phone = models.CharField(max_length=20)
    vehicle = models.CharField(max_length=8, default="bike")
    capacity = models.IntegerField(default=3)
    active = models.BooleanField(default=True)
    lat = models.FloatField(null=True)
    lon = models.FloatField(null=True)
    seen_at = models.DateTimeField(null=True)


class Shift(models.Model):
    """A courier on duty in [starts_at, ends_at); open while `ends_at` is null. One open shift a courier."""

    id = models.UUIDField(primary_key=True, default=new_id)
    courier = models.ForeignKey(Courier, on_delete=models.CASCADE, related_name="shifts")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["courier"], condition=Q(ends_at=None), name="shift_open_once"),
        ]
