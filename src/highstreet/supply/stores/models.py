"""Stores."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from highstreet.kernel.ids import new_id


class Store(models.Model):
    """A shop with its hours (local minutes after midnight, opens < closes <= 1440) and its delivery circle.

    Picking takes `pick_minutes_base` and `pick_seconds_per_unit` a unit; `paused_until` stops new orders;
    until `busy_until` each takes `busy_minutes` more.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    code = models.SlugField(max_length=40, unique=True)
    kind = models.CharField(max_length=16)
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    city = models.ForeignKey("organisations.City", on_delete=models.PROTECT, related_name="+")
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    address = models.CharField(max_length=160)
    phone = models.CharField(max_length=20, default="")
    lat = models.FloatField()
    lon = models.FloatField()
    opens_minute = models.IntegerField()
    closes_minute = models.IntegerField()
    delivery_radius_m = models.IntegerField()
    pick_minutes_base = models.IntegerField(default=3)
    pick_seconds_per_unit = models.IntegerField(default=20)
    paused_until = models.DateTimeField(null=True, blank=True)
    busy_minutes = models.IntegerField(default=0, db_default=0)
    busy_until = models.DateTimeField(null=True, blank=True)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["supermarket", "dark_store", "corner_shop"]), name="store_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(opens_minute__gte=0) & Q(opens_minute__lt=F("closes_minute")) & Q(closes_minute__lte=1440),
                name="store_hours_in_a_day",
            ),
        ]

    def __str__(self) -> str:
        return self.name_en
