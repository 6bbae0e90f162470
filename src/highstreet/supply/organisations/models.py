"""Organisations and cities."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from highstreet.kernel.ids import new_id


class Organisation(models.Model):
    """A legal owner. `policy` holds its terms as data (see `rules.Terms`)."""

    id = models.UUIDField(primary_key=True, default=new_id)
    code = models.SlugField(max_length=40, unique=True)
    kind = models.CharField(max_length=12)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    policy = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["platform", "brand", "franchisee", "partner", "supplier"]),
                name="organisation_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name_en


class City(models.Model):
    """Where we serve. `south, west, north, east` bound its streets in WGS-84 degrees."""

    id = models.UUIDField(primary_key=True, default=new_id)
    code = models.SlugField(max_length=40, unique=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    time_zone = models.CharField(max_length=40)
    currency = models.CharField(max_length=3, default="CNY")
    retailer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    south = models.FloatField()
    west = models.FloatField()
    north = models.FloatField()
    east = models.FloatField()
    centre_lat = models.FloatField()
    centre_lon = models.FloatField()

    def __str__(self) -> str:
        return self.name_en


class Place(models.Model):
    """A place people know by name, to choose where they are without a map. `weight`: people living there."""

    id = models.UUIDField(primary_key=True, default=new_id)
    city = models.ForeignKey(City, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, default="landmark")
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    lat = models.FloatField()
    lon = models.FloatField()
    weight = models.IntegerField(default=0)
