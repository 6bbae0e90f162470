"""Employees."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from highstreet.kernel.ids import new_id


class Employee(models.Model):
    """One job of one user: a role in an organisation, at one store, in one city's stores, or (both null) at all."""

    id = models.UUIDField(primary_key=True, default=new_id)
    user = models.OneToOneField("accounts.User", on_delete=models.CASCADE, related_name="+")
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    store = models.ForeignKey("stores.Store", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    city = models.ForeignKey("organisations.City", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=20)
    name = models.CharField(max_length=60)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=["picker", "store_manager", "support", "city_manager", "owner"]),
                name="employee_role_known",
            ),
            models.CheckConstraint(condition=Q(store=None) | Q(city=None), name="employee_in_a_store_or_a_city"),
        ]


class RoleLimit(models.Model):
    """What a role may at most in an organisation, in the permission's unit; null: no limit. Else the catalogue's."""

    id = models.UUIDField(primary_key=True, default=new_id)
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=20)
    permission = models.CharField(max_length=40)
    most = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "role", "permission"], name="role_limit_once"),
            models.CheckConstraint(condition=Q(most=None) | Q(most__gte=0), name="role_limit_not_negative"),
        ]


class Safeguard(models.Model):
    """What an organisation asks of its staff: a second factor of whoever moves money, stock, prices or people."""

    organisation = models.OneToOneField(
        "organisations.Organisation", primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    second_factor = models.BooleanField(default=False)
