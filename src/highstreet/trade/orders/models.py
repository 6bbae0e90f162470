"""Quotes and orders."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform

from highstreet.kernel.ids import new_id
from highstreet.kernel.policy import SYSTEM, Actor

MODES = ["delivery", "pickup"]


class Quote(models.Model):
    """Priced, promised, expiring. `lines` is a list of {variant, quantity, unit_price, name_zh, name_en};
    `routing` says which store serves and why. Times are the promise shown to the shopper. Without a cart for an
    order made in one step, and used from the start."""

    id = models.UUIDField(primary_key=True, default=new_id)
    cart = models.ForeignKey("cart.Cart", null=True, on_delete=models.CASCADE, related_name="+")
    cart_version = models.IntegerField(default=0)
    mode = models.CharField(max_length=8)
    store = models.ForeignKey("stores.Store", on_delete=models.PROTECT, related_name="+")
    address = models.CharField(max_length=160, default="")
    unit = models.CharField(max_length=60, default="")
    lat = models.FloatField()
    lon = models.FloatField()
    lines = models.JSONField()
    goods_total = models.BigIntegerField()
    delivery_fee = models.BigIntegerField()
    total = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    promise = models.JSONField()
    routing = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class OrderQuerySet(models.QuerySet["Order"]):
    def visible_to(self, actor: Actor) -> OrderQuerySet:
        """The orders that `actor` may see: one's own, those whose key one holds, those of one's stores."""
        if actor.kind == SYSTEM:
            return self
        seen = Q(pk__in=[])
        if actor.customer_id is not None:
            seen |= Q(customer_id=actor.customer_id)
        if actor.order_keys:
            seen |= Q(key__in=sorted(actor.order_keys))
        if actor.may("fulfilment.read") or actor.may("console.read"):
            if actor.store_ids is not None:
                seen |= Q(store_id__in=sorted(actor.store_ids))
            elif actor.organisation_id is not None:
                own = actor.organisation_id
                seen |= Q(organisation_id=own) | Q(store__organisation_id=own)
        return self.filter(seen)

    def with_slot(self) -> OrderQuerySet:
        """With `slot`: the beginning of the window that was quoted, ISO; None for as soon as possible."""
        return self.annotate(slot=KeyTextTransform("slot", "quote__promise"))


class Order(models.Model):
    """One order, one store, one fulfilment. `status` is derived from the axes (see `states.derive`).

    `group` names its holds. In fen: `captured` was paid; `reduced` was taken off before payment (at pickup),
    `refunded` goes back out of what was paid, `compensated` goes to the payer out of ours.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.CharField(max_length=12, unique=True)
    key = models.CharField(max_length=40, unique=True)
    quote = models.OneToOneField(Quote, on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    store = models.ForeignKey("stores.Store", on_delete=models.PROTECT, related_name="+")
    city = models.ForeignKey("organisations.City", on_delete=models.PROTECT, related_name="+")
    mode = models.CharField(max_length=8)
    status = models.CharField(max_length=10, default="pending")
    payment_status = models.CharField(max_length=18, default="unpaid")
    payment_method = models.CharField(max_length=12)
    currency = models.CharField(max_length=3)
    goods_total = models.BigIntegerField()
    delivery_fee = models.BigIntegerField()
    total = models.BigIntegerField()
    phone = models.CharField(max_length=20)
    address = models.CharField(max_length=160, default="")
    unit = models.CharField(max_length=60, default="")
    note = models.CharField(max_length=200, default="")
    lat = models.FloatField()
    lon = models.FloatField()
    substitution = models.CharField(max_length=10, default="best")
    language = models.CharField(max_length=8, default="zh-hans")
    placed_at = models.DateTimeField(db_index=True)
    expires_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=40, default="")
    promised_from = models.DateTimeField()
    promised_to = models.DateTimeField()
    routing = models.JSONField(default=list)
    group = models.UUIDField(default=new_id)
    captured = models.BigIntegerField(default=0)
    reduced = models.BigIntegerField(default=0)
    refunded = models.BigIntegerField(default=0)
    compensated = models.BigIntegerField(default=0)

    objects = OrderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "confirmed", "completed", "cancelled", "expired"]),
                name="order_status_known",
            ),
            models.CheckConstraint(condition=Q(mode__in=MODES), name="order_mode_known"),
            models.CheckConstraint(
                condition=Q(total=F("goods_total") + F("delivery_fee")), name="order_total_is_its_parts"
            ),
            models.CheckConstraint(condition=Q(total__gte=0), name="order_total_not_negative"),
            models.CheckConstraint(
                condition=Q(reduced__gte=0)
                & Q(reduced__lte=F("total"))
                & Q(refunded__gte=0)
                & Q(compensated__gte=0)
                & Q(captured__gte=F("refunded") + F("compensated")),
                name="order_gives_back_what_it_took",
            ),
            models.CheckConstraint(
                condition=Q(substitution__in=["best", "ask", "refund"]), name="order_substitution_known"
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-placed_at"], name="order_of_customer"),
            models.Index(fields=["store", "-placed_at"], name="order_of_store"),
            models.Index(fields=["expires_at"], condition=Q(status="pending"), name="order_due"),
        ]


class OrderLine(models.Model):
    """Units of a variant at a frozen price; `refunded` counts units given back."""

    id = models.UUIDField(primary_key=True, default=new_id)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    variant = models.ForeignKey("catalog.Variant", on_delete=models.PROTECT, related_name="+")
    position = models.IntegerField()
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    quantity = models.IntegerField()
    unit_price = models.BigIntegerField()
    refunded = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gte=1)
                & Q(unit_price__gte=0)
                & Q(refunded__gte=0)
                & Q(refunded__lte=F("quantity")),
                name="order_line_sane",
            ),
        ]
