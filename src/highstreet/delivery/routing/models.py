"""Each city's streets, kept in the database so that every machine has them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from highstreet.kernel.ids import new_id


class Streets(models.Model):
    """The street graph, the map's layers and the street names, as their engine's bytes."""

    id = models.UUIDField(primary_key=True, default=new_id)
    city = models.OneToOneField("organisations.City", on_delete=models.CASCADE, related_name="+")
    graph = models.BinaryField()
    layers = models.BinaryField()
    names = models.BinaryField()
    source = models.CharField(max_length=120)
    loaded_at = models.DateTimeField()


class SpeedFactor(models.Model):
    """What a free-flow second takes a city's couriers in one local hour of the day, by their finished trips."""

    id = models.UUIDField(primary_key=True, default=new_id)
    city = models.ForeignKey("organisations.City", on_delete=models.CASCADE, related_name="+")
    mode = models.CharField(max_length=8)
    hour = models.SmallIntegerField()
    factor = models.FloatField()
    trips = models.IntegerField()
    learned_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "mode", "hour"], name="speed_factor_once"),
            models.CheckConstraint(
                condition=Q(hour__gte=0) & Q(hour__lt=24) & Q(factor__gte=0.5) & Q(factor__lte=3.0),
                name="speed_factor_sane",
            ),
        ]
