"""Employees."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from highstreet.kernel.ids import new_id


class Employee(models.Model):
    """One job of one user: a role in an organisation, at one store or (store null) all of its stores."""

    id = models.UUIDField(primary_key=True, default=new_id)
    user = models.OneToOneField("accounts.User", on_delete=models.CASCADE, related_name="+")
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    store = models.ForeignKey("stores.Store", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=20)
    name = models.CharField(max_length=60)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=["picker", "store_manager", "support", "city_manager", "owner"]),
                name="employee_role_known",
            ),
        ]
