"""Carts."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from highstreet.kernel.ids import new_id


class Cart(models.Model):
    """What a shopper means to buy. `key` is the guest's secret; `version` grows with every change."""

    id = models.UUIDField(primary_key=True, default=new_id)
    key = models.CharField(max_length=40, unique=True)
    customer = models.ForeignKey("customers.Customer", null=True, on_delete=models.CASCADE, related_name="+")
    city = models.ForeignKey("organisations.City", on_delete=models.CASCADE, related_name="+")
    version = models.IntegerField(default=0)
    changed_at = models.DateTimeField()


class CartLine(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id)
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey("catalog.Variant", on_delete=models.CASCADE, related_name="+")
    quantity = models.IntegerField()
    added_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cart", "variant"], name="cart_line_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1) & Q(quantity__lte=99), name="cart_quantity_range"),
        ]
