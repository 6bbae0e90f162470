"""The demo city's files and names. Needs no database: the simulated people read it too."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from highstreet.supply.catalog.rules import rows
from highstreet.supply.catalog.rules.rows import CityFiles

POA = Path(__file__).parent / "cities" / "poa"
CODE = "porto-alegre"
ZONE = ZoneInfo("America/Sao_Paulo")
PASSWORD = "demo"
COURIERS = 40
SHOPPERS = 60


def read_files(folder: Path = POA, *, products: int | None = None) -> CityFiles:
    """The demo city's files, checked. `products` keeps only so many, spread over all categories (tests)."""
    catalogue = rows.read("products.csv", (folder / "products.csv").read_bytes(), rows.product, ["sku", "barcode"])
    if products is not None:
        step = max(1, len(catalogue) // products)
        catalogue = catalogue[::step][:products]
    stores = rows.read("stores.csv", (folder / "stores.csv").read_bytes(), rows.store, ["code"])
    homes = rows.read("homes.csv", (folder / "homes.csv").read_bytes(), rows.place)
    landmarks = rows.read("places.csv", (folder / "places.csv").read_bytes(), rows.place)
    bounds = bounds_of(folder / "streets.osm.pbf")
    south, west, north, east = bounds
    inside = [row for row in homes if row.weight and south <= row.lat <= north and west <= row.lon <= east]
    market = landmarks[0]
    return CityFiles(
        code=CODE,
        name_zh="阿雷格里港",
        name_en="Porto Alegre",
        time_zone="America/Sao_Paulo",
        currency="CNY",
        bounds=bounds,
        centre=(market.lat, market.lon),
        organisations={
            "retailer": ("brand", "高街超市", "Highstreet Porto"),
            "franchisee": ("franchisee", "街角便利加盟商", "Corner Franchise"),
        },
        categories=rows.read("categories.csv", (folder / "categories.csv").read_bytes(), rows.category, ["code"]),
        stores=stores,
        products=catalogue,
        places=landmarks + inside,
    )


def bounds_of(pbf: Path) -> tuple[float, float, float, float]:
    """South, west, north, east of an extract's header box, else of its nodes."""
    import osmium

    with osmium.io.Reader(str(pbf), osmium.osm.osm_entity_bits.NODE) as reader:
        box = reader.header().box()
        if box.valid():
            return box.bottom_left.lat, box.bottom_left.lon, box.top_right.lat, box.top_right.lon
    nodes = osmium.FileProcessor(str(pbf), osmium.osm.osm_entity_bits.NODE)
    places = [(node.location.lat, node.location.lon) for node in nodes if isinstance(node, osmium.osm.Node)]
    lats, lons = [place[0] for place in places], [place[1] for place in places]
    return min(lats), min(lons), max(lats), max(lons)
