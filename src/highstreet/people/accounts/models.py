"""Users and their tokens."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

from highstreet.kernel.ids import new_id


class User(AbstractUser):
    """A person who signs in. What they may do comes from being an employee, a courier or a customer."""

    id = models.UUIDField(primary_key=True, default=new_id)
    language = models.CharField(max_length=8, default="zh-hans")


class ApiToken(models.Model):
    """A bearer token; only its SHA-256 is kept. `stamp` is of the password it was made with: a new one ends it."""

    id = models.UUIDField(primary_key=True, default=new_id)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    stamp = models.CharField(max_length=16, default="", db_default="")
    created_at = models.DateTimeField(null=True)
    address = models.CharField(max_length=45, default="", db_default="")
    agent = models.CharField(max_length=200, default="", db_default="")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
