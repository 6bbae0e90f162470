"""Each city's streets, kept in the database so that every machine has them."""

from __future__ import annotations

from django.db import models

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
