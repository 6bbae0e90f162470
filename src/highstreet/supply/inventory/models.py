"""Stock locations, levels and moves."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from highstreet.kernel.ids import new_id

MOVES = ["receipt", "sale", "adjust", "damage", "count", "return"]


class StockLocation(models.Model):
    """A place holding stock. Here each store has one, its shelves."""

    id = models.UUIDField(primary_key=True, default=new_id)
    store = models.OneToOneField("stores.Store", on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)


class StockLevel(models.Model):
    """Units of a variant at a location. What is free to promise is on_hand - held - allocated, less what is held and
    allocated of its shares.

    Of a `flash` sale the free units lie in shares; `pooled` of on_hand do, and `held` and `allocated` are of the rest.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    location = models.ForeignKey(StockLocation, on_delete=models.CASCADE, related_name="+")
    variant = models.ForeignKey("catalog.Variant", on_delete=models.CASCADE, related_name="+")
    on_hand = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    allocated = models.BigIntegerField(default=0)
    incoming = models.BigIntegerField(default=0)
    damaged = models.BigIntegerField(default=0)
    pooled = models.BigIntegerField(default=0, db_default=0)
    flash = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["location", "variant"], name="stock_level_once"),
            models.CheckConstraint(
                condition=Q(held__gte=0, allocated__gte=0, pooled__gte=0)
                & Q(on_hand__gte=F("held") + F("allocated") + F("pooled")),
                name="stock_never_oversold",
            ),
        ]


class StockShare(models.Model):
    """Some of a level's units, `units` of them, so that a crowd of buyers does not queue for one row.

    Made when a level is first sold as a flash sale and never deleted; without one its free units go back.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    level = models.ForeignKey(StockLevel, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveSmallIntegerField()
    units = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    allocated = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["level", "number"], name="stock_share_once"),
            models.CheckConstraint(
                condition=Q(held__gte=0, allocated__gte=0, units__gte=F("held") + F("allocated")),
                name="stock_share_never_oversold",
            ),
        ]


class StockMove(models.Model):
    """An immutable change of on_hand with its cause; `after` is the on_hand it left."""

    id = models.UUIDField(primary_key=True, default=new_id)
    level = models.ForeignKey(StockLevel, on_delete=models.CASCADE, related_name="moves")
    kind = models.CharField(max_length=10)
    delta = models.BigIntegerField()
    after = models.BigIntegerField()
    cause = models.UUIDField(null=True)
    reason = models.CharField(max_length=80, default="")
    actor = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=MOVES), name="stock_move_kind_known"),
            models.CheckConstraint(condition=Q(after__gte=0), name="stock_move_after_not_negative"),
        ]
        indexes = [models.Index(fields=["level", "at"], name="stock_move_path")]
