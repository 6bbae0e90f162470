"""Reviews."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from highstreet.kernel.ids import new_id


class Review(models.Model):
    """One a completed order, by who ordered; 1 to 5 stars."""

    id = models.UUIDField(primary_key=True, default=new_id)
    order_id = models.UUIDField(unique=True)
    store = models.ForeignKey("stores.Store", on_delete=models.CASCADE, related_name="+")
    customer = models.ForeignKey("customers.Customer", on_delete=models.CASCADE, related_name="+")
    stars = models.IntegerField()
    text = models.CharField(max_length=500, default="")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(stars__gte=1) & Q(stars__lte=5), name="review_stars_range"),
        ]
