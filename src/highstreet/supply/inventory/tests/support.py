"""The least rows a stock level stands on."""

from __future__ import annotations

from highstreet.kernel import ids
from highstreet.supply.catalog.models import Category, Product, Variant
from highstreet.supply.inventory.models import StockLocation
from highstreet.supply.organisations.models import City, Organisation
from highstreet.supply.stores.models import Store


def an_organisation() -> Organisation:
    found, _ = Organisation.objects.get_or_create(
        code="retailer", defaults={"kind": "brand", "name_zh": "高街", "name_en": "Highstreet"}
    )
    return found


def a_city() -> City:
    found, _ = City.objects.get_or_create(
        code="test-city",
        defaults={
            "name_zh": "测试城",
            "name_en": "Test City",
            "time_zone": "Asia/Shanghai",
            "retailer": an_organisation(),
            "south": 31.0,
            "west": 121.0,
            "north": 31.5,
            "east": 121.8,
            "centre_lat": 31.23,
            "centre_lon": 121.47,
        },
    )
    return found


def a_store(code: str = "one", lat: float = 31.23, lon: float = 121.47) -> Store:
    store = Store.objects.create(
        code=code,
        kind="supermarket",
        organisation=an_organisation(),
        city=a_city(),
        name_zh="一店",
        name_en="One",
        address="1 Road",
        lat=lat,
        lon=lon,
        opens_minute=0,
        closes_minute=1440,
        delivery_radius_m=5000,
    )
    StockLocation.objects.create(store=store, name="shelves")
    return store


def a_variant(sku: str = "MILK-1", barcode: str = "2000000000015") -> Variant:
    category, _ = Category.objects.get_or_create(
        code="milk",
        defaults={
            "name_zh": "奶",
            "name_en": "Milk",
            "group_code": "dairy",
            "group_zh": "乳品",
            "group_en": "Dairy",
            "picture": "milk",
        },
    )
    product = Product.objects.create(
        id=ids.new_id(),
        organisation=an_organisation(),
        category=category,
        name_zh="鲜牛奶",
        name_en="Fresh milk",
        picture="milk",
    )
    return Variant.objects.create(product=product, sku=sku, barcode=barcode, unit_zh="950 ml", unit_en="950 ml")
