"""Customers and their addresses."""

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
