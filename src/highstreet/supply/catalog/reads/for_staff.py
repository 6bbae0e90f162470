"""What stores list, hidden or not: for staff."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from highstreet.supply.inventory.reads import stock_of

from .. import rules
from ..models import Listing, Variant
from .for_shoppers import VariantView, variant_view


@dataclass(frozen=True)
class ListingView:
    """A variant at a store as staff see it: hidden ones too."""

    store_id: UUID
    price: int
    was: int | None
    visible: bool
    on_hand: int
    free: int


@dataclass(frozen=True)
class ListedView:
    """A variant with its listings, by store."""

    variant: VariantView
    category_code: str
    listings: dict[UUID, ListingView]


def listed(
    store_ids: Iterable[UUID],
    *,
    category: str = "",
    query: str = "",
    variant_ids: Iterable[UUID] = (),
    limit: int = 30,
    after: UUID | None = None,
) -> tuple[list[ListedView], UUID | None]:
    """What these stores list, hidden or not, by category and SKU: what comes `after` a variant, and after which one
    the next page begins. For staff."""
    stores, wanted = list(store_ids), list(variant_ids)
    rows = Variant.objects.filter(listings__store_id__in=stores).distinct()
    if wanted:
        rows = rows.filter(pk__in=wanted)
    if category:
        rows = rows.filter(product__category__code=category)
    for term in rules.terms_of(query):
        rows = rows.filter(Q(product__search_text__contains=term) | Q(sku__iexact=term) | Q(barcode=term))
    rows = rows.select_related("product", "product__category").order_by("product__category__position", "sku")
    if after is not None:
        rows = rows.filter(_beyond(after))
    found = list(rows[: limit + 1])
    page = found[:limit]
    by_variant: dict[UUID, dict[UUID, ListingView]] = {row.pk: {} for row in page}
    have = stock_of(stores, list(by_variant))
    for one in Listing.objects.filter(store_id__in=stores, variant_id__in=list(by_variant)):
        on_hand, free = have.get((one.store_id, one.variant_id), (0, 0))
        view = ListingView(one.store_id, one.price, one.was, one.visible, on_hand, free)
        by_variant[one.variant_id][one.store_id] = view
    views = [ListedView(variant_view(row), row.product.category.code, by_variant[row.pk]) for row in page]
    return views, page[-1].pk if len(found) > limit else None


def _beyond(variant_id: UUID) -> Q:
    """What the list has after a variant; of one that is gone, nothing."""
    place = Variant.objects.filter(pk=variant_id).values_list("product__category__position", "sku").first()
    if place is None:
        return Q(pk__in=[])
    position, sku = place
    return Q(product__category__position__gt=position) | Q(product__category__position=position, sku__gt=sku)
