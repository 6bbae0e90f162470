"""Couriers, their duty and breaks, their wishes and the roster, what is paid and by which rules, cash handed in."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from highstreet.delivery.routing.engine import MODES
from highstreet.kernel.ids import new_id

VEHICLE_WORDS = {"bike": _("Bicycle or scooter"), "car": _("Car"), "walk": _("On foot")}
VEHICLES = [(mode, VEHICLE_WORDS[mode]) for mode in MODES]


class Courier(models.Model):
    """Who brings orders; `capacity` is how many packages at once, and rides take what they take by `vehicle`. A
    position is kept only while on shift."""

    id = models.UUIDField(primary_key=True, default=new_id)
    user = models.OneToOneField("accounts.User", on_delete=models.CASCADE, related_name="+")
    city = models.ForeignKey("organisations.City", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)
    phone = models.CharField(max_length=20)
    vehicle = models.CharField(max_length=8, default="bike", choices=VEHICLES)
    capacity = models.IntegerField(default=3)
    active = models.BooleanField(default=True)
    lat = models.FloatField(null=True)
    lon = models.FloatField(null=True)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(vehicle__in=[kind for kind, _ in VEHICLES]), name="courier_vehicle"),
        ]


class Shift(models.Model):
    """A courier on duty in [starts_at, ends_at); open while `ends_at` is null. One open shift a courier.

    `orders_until`: when new orders end, by the roster or because the courier said so; null: with the shift.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    courier = models.ForeignKey(Courier, on_delete=models.CASCADE, related_name="shifts")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    orders_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["courier"], condition=Q(ends_at=None), name="shift_open_once"),
        ]


class Break(models.Model):
    """A pause in a shift, open while `ends_at` is null: no orders, and not paid for."""

    id = models.UUIDField(primary_key=True, default=new_id)
    shift = models.ForeignKey(Shift, on_delete=models.CASCADE, related_name="breaks")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shift"], condition=Q(ends_at=None), name="break_open_once"),
            models.CheckConstraint(condition=Q(ends_at=None) | Q(ends_at__gte=F("starts_at")), name="break_forwards"),
        ]


class RosterShift(models.Model):
    """A planned shift [starts_at, ends_at), for a courier or open to whoever takes it."""

    id = models.UUIDField(primary_key=True, default=new_id)
    city = models.ForeignKey("organisations.City", on_delete=models.PROTECT, related_name="+")
    courier = models.ForeignKey(Courier, null=True, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, default="draft")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    break_starts_at = models.DateTimeField(null=True)
    break_ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status="draft")
                | Q(status__in=["open", "withdrawn"], courier=None)
                | Q(status__in=["taken", "offered"], courier__isnull=False),
                name="roster_shift_whose",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__lt=F("ends_at"))
                & (
                    Q(break_starts_at=None, break_ends_at=None)
                    | Q(
                        break_starts_at__gte=F("starts_at"),
                        break_ends_at__gt=F("break_starts_at"),
                        break_ends_at__lte=F("ends_at"),
                    )
                ),
                name="roster_shift_times",
            ),
            ExclusionConstraint(
                name="roster_shift_no_overlap",
                expressions=[
                    (Func(F("courier"), F("courier"), Value("[]"), function="uuidrange"), "&&"),
                    (Func(F("starts_at"), F("ends_at"), function="tstzrange"), "&&"),
                ],
                condition=Q(courier__isnull=False) & ~Q(status="draft"),
            ),
        ]
        indexes = [models.Index(fields=["city", "starts_at"], name="roster_of_city")]


class Wish(models.Model):
    """What a courier said of a time: minutes [from, to) of the local day, of every such weekday (Monday is 0) or of one
    date. `kind` is want, avoid or cannot; of one time it is one of them."""

    id = models.UUIDField(primary_key=True, default=new_id)
    courier = models.ForeignKey(Courier, on_delete=models.CASCADE, related_name="wishes")
    kind = models.CharField(max_length=8)
    weekday = models.PositiveSmallIntegerField(null=True)
    day = models.DateField(null=True)
    from_minute = models.PositiveSmallIntegerField()
    to_minute = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["want", "avoid", "cannot"]), name="wish_kind"),
            models.CheckConstraint(
                condition=Q(weekday=None, day__isnull=False) | Q(weekday__isnull=False, weekday__lte=6, day=None),
                name="wish_when",
            ),
            models.CheckConstraint(condition=Q(from_minute__lt=F("to_minute"), to_minute__lte=1440), name="wish_times"),
            models.UniqueConstraint(
                fields=["courier", "weekday", "day", "from_minute", "to_minute"],
                nulls_distinct=False,
                name="wish_once",
            ),
        ]


class WorkRule(models.Model):
    """A city's rules of work; minutes. A city without a row has `rules.WorkTerms`' defaults."""

    city = models.OneToOneField("organisations.City", primary_key=True, on_delete=models.CASCADE, related_name="+")
    shortest = models.PositiveIntegerField(default=120)
    longest = models.PositiveIntegerField(default=480)
    break_from = models.PositiveIntegerField(default=360)
    break_minutes = models.PositiveIntegerField(default=30)
    most_a_day = models.PositiveIntegerField(default=600)
    most_a_week = models.PositiveIntegerField(default=2640)
    rest = models.PositiveIntegerField(default=660)
    level_percent = models.PositiveIntegerField(default=95)
    usual_orders = models.PositiveIntegerField(default=120)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(shortest__gte=30, longest__gte=F("shortest"), longest__lte=1440)
                & Q(break_minutes__lt=F("break_from"), level_percent__gte=50, level_percent__lte=99),
                name="work_rule_sane",
            )
        ]


class EarningRule(models.Model):
    """What a city's couriers earn from `starts_at` on, in minor units: an order, a kilometre, guaranteed an hour,
    `bonus` at `bonus_orders` orders a day. Rows are added, so that what was paid can be told."""

    id = models.UUIDField(primary_key=True, default=new_id)
    city = models.ForeignKey("organisations.City", on_delete=models.CASCADE, related_name="+")
    starts_at = models.DateTimeField()
    per_order = models.PositiveIntegerField()
    per_km = models.PositiveIntegerField()
    guarantee_hour = models.PositiveIntegerField(default=0)
    bonus_orders = models.PositiveIntegerField(default=0)
    bonus = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["city", "starts_at"], name="earning_rule_once"),
            models.CheckConstraint(condition=Q(bonus=0) | Q(bonus_orders__gt=0), name="earning_rule_bonus"),
        ]


class ShiftPay(models.Model):
    """What a shift came to, written once when it ends: the minutes that were guaranteed, its orders and what they
    earned, the rule as it was then, and what was paid on top."""

    id = models.UUIDField(primary_key=True, default=new_id)
    shift = models.OneToOneField(Shift, on_delete=models.CASCADE, related_name="+")
    courier = models.ForeignKey(Courier, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    minutes = models.PositiveIntegerField()
    orders = models.PositiveIntegerField()
    earned = models.BigIntegerField()
    guarantee_hour = models.PositiveIntegerField()
    bonus_orders = models.PositiveIntegerField()
    bonus_rate = models.PositiveIntegerField()
    top_up = models.BigIntegerField()
    bonus = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["courier", "day"], condition=Q(bonus__gt=0), name="bonus_once_a_day"),
        ]


class CashHandIn(models.Model):
    """Cash that a courier took at doors and gave to a store's till, in fen; `left` is what was still in hand then.
    `key` makes saying it twice one row; `taken_by` is who took it."""

    id = models.UUIDField(primary_key=True, default=new_id)
    key = models.CharField(max_length=160, unique=True)
    courier = models.ForeignKey(Courier, on_delete=models.PROTECT, related_name="+")
    store = models.ForeignKey("stores.Store", on_delete=models.PROTECT, related_name="+")
    amount = models.BigIntegerField()
    left = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    taken_by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0, left__gte=0), name="hand_in_of_what_was_in_hand"),
        ]
        indexes = [
            models.Index(fields=["courier", "-at"], name="hand_in_of_courier"),
            models.Index(fields=["store", "-at"], name="hand_in_of_store"),
        ]
