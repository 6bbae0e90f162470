"""Load a city and its catalogue: all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from highstreet.kernel import ids
from highstreet.kernel.policy import SYSTEM, Actor, action
from highstreet.supply.inventory.models import StockLocation
from highstreet.supply.organisations.models import City, Organisation, Place
from highstreet.supply.organisations.reads import forget
from highstreet.supply.stores.models import Store

from .. import rules
from ..models import Category, Listing, Product, Variant
from ..rules.rows import BadFile, CityFiles, ProductRow, StoreRow


@action(SYSTEM, trailed=True)
def import_city(*, actor: Actor, files: CityFiles) -> UUID:
    """Write or update a city with its organisations, stores, catalogue and listings. Stock is not touched.

    `organisations` maps code -> (kind, name_zh, name_en); the first is the retailer, the others its
    franchisees. Raises BadFile when rows do not fit each other; nothing is half-loaded.
    """
    _check(files)
    owners = _organisations(files.organisations)
    retailer = next(iter(owners.values()))
    south, west, north, east = files.bounds
    city, _ = City.objects.update_or_create(
        code=files.code,
        defaults={
            "name_zh": files.name_zh,
            "name_en": files.name_en,
            "time_zone": files.time_zone,
            "currency": files.currency,
            "retailer": retailer,
            "south": south,
            "west": west,
            "north": north,
            "east": east,
            "centre_lat": files.centre[0],
            "centre_lon": files.centre[1],
        },
    )
    Place.objects.filter(city=city).delete()
    Place.objects.bulk_create(
        Place(
            id=ids.new_id(),
            city=city,
            kind=row.kind,
            name_zh=row.name_zh,
            name_en=row.name_en,
            lat=row.lat,
            lon=row.lon,
            weight=row.weight,
        )
        for row in files.places
    )
    stores = _stores(files.stores, owners, city)
    variants = _products(files, retailer)
    Listing.objects.bulk_create(
        [
            Listing(id=ids.new_id(), store=store, variant_id=variants[row.sku], price=_price(row, store))
            for row in files.products
            for store in stores
            if store.kind in row.kinds
        ],
        update_conflicts=True,
        unique_fields=["store", "variant"],
        update_fields=["price"],
    )
    forget()
    return city.pk


def _check(files: CityFiles) -> None:
    categories = {row.code for row in files.categories}
    problems = [
        (line, f"category {row.category} is not in the categories")
        for line, row in enumerate(files.products, start=2)
        if row.category not in categories
    ]
    if problems:
        raise BadFile("products", problems)
    south, west, north, east = files.bounds
    outside = [
        (line, f"store {row.code} lies outside the city's streets")
        for line, row in enumerate(files.stores, start=2)
        if not (south <= row.lat <= north and west <= row.lon <= east)
    ]
    unknown = [
        (line, f"organisation {row.organisation} is unknown")
        for line, row in enumerate(files.stores, start=2)
        if row.organisation not in files.organisations
    ]
    elsewhere = dict(
        Store.objects.exclude(city__code=files.code)
        .filter(code__in=[row.code for row in files.stores])
        .values_list("code", "city__code")
    )
    moved = [
        (line, f"store {row.code} is already in the city {elsewhere[row.code]}")
        for line, row in enumerate(files.stores, start=2)
        if row.code in elsewhere
    ]
    if outside or unknown or moved:
        raise BadFile("stores", sorted(outside + unknown + moved))
    _check_products(files)


def _check_products(files: CityFiles) -> None:
    """A SKU or barcode that means another product, or another retailer's, is refused, never taken over."""
    retailer = next(iter(files.organisations))
    known = Variant.objects.filter(
        Q(sku__in=[row.sku for row in files.products]) | Q(barcode__in=[row.barcode for row in files.products])
    ).values_list("sku", "barcode", "product__organisation__code")
    owner_of = {sku: owner for sku, _, owner in known}
    sku_of = {barcode: sku for sku, barcode, _ in known}
    problems = []
    for line, row in enumerate(files.products, start=2):
        if owner_of.get(row.sku, retailer) != retailer:
            problems.append((line, f"SKU {row.sku} belongs to the retailer {owner_of[row.sku]}"))
        elif sku_of.get(row.barcode, row.sku) != row.sku:
            problems.append((line, f"barcode {row.barcode} is that of SKU {sku_of[row.barcode]}"))
    if problems:
        raise BadFile("products", problems)


def _organisations(wanted: dict[str, tuple[str, str, str]]) -> dict[str, Organisation]:
    owners: dict[str, Organisation] = {}
    for code, (kind, name_zh, name_en) in wanted.items():
        parent = next(iter(owners.values()), None)
        owners[code], _ = Organisation.objects.get_or_create(
            code=code, defaults={"kind": kind, "name_zh": name_zh, "name_en": name_en, "parent": parent}
        )
    return owners


def _stores(rows: Iterable[StoreRow], owners: dict[str, Organisation], city: City) -> list[Store]:
    stores = []
    for row in rows:
        store, _ = Store.objects.update_or_create(
            code=row.code,
            defaults={
                "kind": row.kind,
                "organisation": owners[row.organisation],
                "city": city,
                "name_zh": row.name_zh,
                "name_en": row.name_en,
                "address": row.address,
                "lat": row.lat,
                "lon": row.lon,
                "opens_minute": row.opens_minute,
                "closes_minute": row.closes_minute,
                "delivery_radius_m": row.delivery_radius_m,
                "pick_minutes_base": row.pick_minutes_base,
                "pick_seconds_per_unit": row.pick_seconds_per_unit,
            },
        )
        StockLocation.objects.get_or_create(store=store, defaults={"name": row.name_en[:60]})
        stores.append(store)
    return stores


def _products(files: CityFiles, retailer: Organisation) -> dict[str, UUID]:
    """Write categories, products and variants; returns SKU -> variant id."""
    Category.objects.bulk_create(
        [
            Category(
                id=ids.new_id(),
                code=row.code,
                name_zh=row.name_zh,
                name_en=row.name_en,
                group_code=row.group,
                group_zh=row.group_zh,
                group_en=row.group_en,
                picture=row.picture,
                position=row.position,
            )
            for row in files.categories
        ],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name_zh", "name_en", "group_code", "group_zh", "group_en", "picture", "position"],
    )
    categories = {row.code: row for row in Category.objects.all()}
    known = {row.sku: row for row in Variant.objects.filter(sku__in=[row.sku for row in files.products])}
    products, variants = [], []
    for row in files.products:
        category = categories[row.category]
        old = known.get(row.sku)
        product = Product(
            id=old.product_id if old else ids.new_id(),
            organisation=retailer,
            category=category,
            name_zh=row.name_zh,
            name_en=row.name_en,
            picture=row.picture,
            keywords=row.keywords,
            search_text=rules.search_text(row.name_zh, row.name_en, row.keywords, category.name_zh, category.name_en),
        )
        products.append(product)
        variants.append(
            Variant(
                id=old.pk if old else ids.new_id(),
                product=product,
                sku=row.sku,
                barcode=row.barcode,
                unit_zh=row.unit_zh,
                unit_en=row.unit_en,
                measure=row.measure,
                temperature=row.temperature,
                aisle=row.aisle,
            )
        )
    Product.objects.bulk_create(
        products,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["category", "name_zh", "name_en", "picture", "keywords", "search_text"],
    )
    Variant.objects.bulk_create(
        variants,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["barcode", "unit_zh", "unit_en", "measure", "temperature", "aisle"],
    )
    return {variant.sku: variant.pk for variant in variants}


def _price(row: ProductRow, store: Store) -> int:
    """A corner shop asks a twentieth more, rounded up to 10 fen."""
    if store.kind != "corner_shop":
        return row.price
    return -(-row.price * 21 // 20 // 10) * 10
