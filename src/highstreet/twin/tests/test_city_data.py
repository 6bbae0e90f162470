"""The demo city's package data hold together: codes, languages, pictures, prices and coverage."""

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import highstreet
from highstreet.delivery.routing.engine import StreetGraph, haversine_m, read_streets

PACKAGE = Path(highstreet.__file__).parent
CITY = PACKAGE / "twin" / "cities" / "poa"
ART = PACKAGE / "web" / "ui" / "static" / "art"
STORE_KINDS = {"supermarket", "dark_store", "corner_shop"}
SLOWEST_RIDE_S = 25 * 60


@cache
def rows(name: str) -> list[dict[str, str]]:
    """The rows of one CSV file of the city, as they stand."""
    with (CITY / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def streets() -> StreetGraph:
    return read_streets(CITY / "streets.osm.pbf")


def ean13_holds(code: str) -> bool:
    digits = [int(digit) for digit in code]
    return len(digits) == 13 and sum(digits[0::2]) % 10 == (-3 * sum(digits[1::2])) % 10


def test_barcodes_are_valid_unique_and_in_the_in_store_range() -> None:
    codes = [row["barcode"] for row in rows("products.csv")]
    assert len(set(codes)) == len(codes)
    assert [code for code in codes if not ean13_holds(code)] == []
    assert {code[0] for code in codes} == {"2"}


def test_the_catalogue_is_large_and_its_skus_and_names_are_unique() -> None:
    products = rows("products.csv")
    assert len(products) >= 590
    assert len({row["sku"] for row in products}) == len(products)
    for language in ("zh", "en"):
        assert len({(row[f"name_{language}"], row[f"unit_{language}"]) for row in products}) == len(products)


def test_forty_categories_in_eight_groups_all_used() -> None:
    categories = rows("categories.csv")
    assert len(categories) == len({row["code"] for row in categories}) == 40
    assert len({(row["group"], row["group_zh"], row["group_en"]) for row in categories}) == 8
    assert {row["category"] for row in rows("products.csv")} == {row["code"] for row in categories}


def test_every_picture_exists_is_small_and_is_listed_with_its_licence() -> None:
    named = {row["picture"] for name in ("products.csv", "categories.csv") for row in rows(name)}
    licence = (ART / "LICENCE.md").read_text(encoding="utf-8")
    for name in sorted(named):
        assert (ART / f"{name}.webp").stat().st_size <= 6_000, name
    assert [path.name for path in ART.glob("*.webp") if f"| {path.name} |" not in licence] == []


@pytest.mark.parametrize("name", ["products.csv", "categories.csv", "stores.csv", "places.csv"])
def test_both_languages_are_filled(name: str) -> None:
    columns = [column for column in rows(name)[0] if column.endswith(("_zh", "_en"))]
    assert columns
    assert [row for row in rows(name) if not all(row[column].strip() for column in columns)] == []


def test_prices_units_and_kinds_are_sane() -> None:
    for row in rows("products.csv"):
        assert int(row["price_fen"]) > 0
        amount, unit = row["unit_price_basis"].split()
        assert float(amount) > 0 and unit in {"g", "ml", "pcs", "sheets", "rolls"}, row["sku"]
        assert row["temperature"] in {"ambient", "chilled", "frozen"}
        assert "supermarket" in row["kinds"].split("|") and set(row["kinds"].split("|")) <= STORE_KINDS
        assert row["aisle"] and row["keywords"]


def test_stores_stand_on_streets_of_the_extract(streets: StreetGraph) -> None:
    stores = rows("stores.csv")
    assert len(stores) == len({row["code"] for row in stores}) == 8
    assert {row["kind"] for row in stores} == STORE_KINDS
    assert {row["organisation"] for row in stores} == {"retailer", "franchisee"}
    points = np.array([[float(row["lat"]), float(row["lon"])] for row in stores])
    nodes = streets.nearest(points[:, 0], points[:, 1])
    assert haversine_m(points, streets.points[nodes]).max() < 60


def test_every_home_is_within_a_stores_radius_and_ride(streets: StreetGraph) -> None:
    stores = rows("stores.csv")
    homes = np.array([[float(h["lat"]), float(h["lon"])] for h in rows("homes.csv") if int(h["population"]) > 0])
    shops = np.array([[float(row["lat"]), float(row["lon"])] for row in stores])
    radius = np.array([int(row["delivery_radius_m"]) for row in stores])
    metres = haversine_m(shops[:, None, :], homes[None, :, :])
    seconds = streets.matrix(shops, homes, "bike")
    covered = ((metres <= radius[:, None]) & (seconds <= SLOWEST_RIDE_S)).any(axis=0)
    assert homes[~covered].tolist() == []
