"""`highstreet city import`: another city on the same platform, all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import osmium
import pytest

from highstreet import cli
from highstreet.supply.catalog.models import Listing, Product, Variant
from highstreet.supply.organisations.models import City, Organisation
from highstreet.supply.stores.models import Store
from highstreet.twin.files import POA

pytestmark = pytest.mark.django_db

STORES = """\
code,kind,organisation,name_zh,name_en,address,lat,lon,opens,closes,delivery_radius_m,pick_minutes_base,pick_seconds_per_unit
south,supermarket,house,南店,South,Street 1,-30.04,-51.21,07:00,23:00,4000,4,20
north,corner_shop,partner,北店,North,Street 2,-30.02,-51.20,00:00,24:00,2000,2,12
"""
PRODUCTS = """\
sku,barcode,category,name_zh,name_en,unit_zh,unit_en,price_fen,unit_price_basis,picture,aisle,keywords,temperature,kinds
TEA,2001000010486,tea,龙井,Longjing tea,250 g,250 g,5980,250 g,tea,A1,,ambient,supermarket|corner_shop
ICE,2001000020591,tea,棒冰,Ice lolly,1 支,1 piece,350,,ice,F1,,frozen,supermarket
"""
CATEGORIES = """\
code,name_zh,name_en,picture,position,group,group_zh,group_en
tea,茶,Tea,tea,1,drinks,饮料,Drinks
"""
STREETS = POA / "streets.osm.pbf"
COUNTED = (City, Organisation, Store, Product, Variant, Listing)
Run = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def avenues(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo city's wide streets only, in a file without a header box: read in a fifth of the time."""
    path = tmp_path_factory.mktemp("map") / "avenues.osm.pbf"
    wide = osmium.filter.TagFilter(("highway", "primary"), ("highway", "secondary"))
    with osmium.BackReferenceWriter(str(path), ref_src=str(STREETS)) as file:
        for way in osmium.FileProcessor(str(STREETS), osmium.osm.WAY).with_filter(wide):
            file.add(way)
    return path


@pytest.fixture
def run(tmp_path: Path, avenues: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Import with some of the files or options changed: the exit code and what was said."""

    def run(
        stores: str = STORES,
        products: str = PRODUCTS,
        categories: str = CATEGORIES,
        streets: Path = avenues,
        code: str = "second",
        retailer: str = "house",
    ) -> tuple[int, str]:
        for name, words in (("stores", stores), ("products", products), ("categories", categories)):
            (tmp_path / f"{name}.csv").write_text(words, encoding="utf-8")
        files = ["--stores", str(tmp_path / "stores.csv"), "--products", str(tmp_path / "products.csv")]
        answer = cli.main(["city", "import", str(streets), *files, "--code", code, "--retailer", retailer])
        said = capsys.readouterr()
        return answer, said.out + said.err

    return run


def counts() -> list[int]:
    return [model.objects.count() for model in COUNTED]


def test_a_city_is_loaded_and_loaded_again(run: Run) -> None:
    answer, said = run()
    assert answer == 0 and "second: 2 stores, 2 products" in said
    assert set(Store.objects.filter(city__code="second").values_list("code", flat=True)) == {"south", "north"}
    assert Listing.objects.filter(store__city__code="second").count() == 3
    assert set(Organisation.objects.filter(code__in=["house", "partner"]).values_list("kind", flat=True)) == {
        "brand",
        "franchisee",
    }
    before = counts()
    answer, _ = run(products=PRODUCTS.replace("5980", "6080"))
    assert answer == 0 and counts() == before
    assert Listing.objects.get(store__code="south", variant__sku="TEA").price == 6080


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"products": PRODUCTS.replace("2001000010486", "2001000010487")}, "products.csv: line 2: barcode"),
        ({"products": PRODUCTS.replace("ICE,2001000020591", "TEA,2001000020591")}, "line 3: sku TEA is already"),
        ({"products": PRODUCTS.replace(",350,", ",3.5,")}, "line 3: price_fen '3.5' is not a whole number"),
        ({"products": PRODUCTS.replace(",350,", ",-1,")}, "line 3: price_fen -1 is not in"),
        ({"products": PRODUCTS.replace("ICE,2001000020591,tea", "ICE,2001000020591,toys")}, "line 3: category toys"),
        ({"products": PRODUCTS.replace("price_fen", "price")}, "line 2: column 'price_fen' is missing"),
        ({"products": PRODUCTS + "X,1\n"}, "line 4: wrong number of columns"),
        ({"products": PRODUCTS.replace("龙井", "龙\x00井")}, "line 2: holds a NUL"),
        ({"products": ""}, "products.csv: no rows"),
        ({"stores": STORES.replace("23:00", "06:00")}, "stores.csv: line 2: opens 07:00 is not before"),
        ({"stores": STORES.replace("-30.02", "30.02")}, "line 3: store north lies outside"),
        ({"stores": STORES.replace("-30.02", "nan")}, "line 3: lat nan is not in"),
        ({"stores": STORES.replace("supermarket", "kiosk")}, "line 2: kind 'kiosk' is not among"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_loaded(run: Run, change: dict[str, str], says: str) -> None:
    before = counts()
    answer, said = run(**change)
    assert answer == 2 and says in said
    assert counts() == before


def test_every_bad_row_is_named_at_once(run: Run) -> None:
    _, said = run(products=PRODUCTS.replace("5980", "x").replace(",350,", ",y,"))
    assert "line 2: price_fen 'x'" in said and "line 3: price_fen 'y'" in said


def test_streets_that_are_none_are_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "streets.osm.pbf").write_bytes(b"not a map")
    before = counts()
    answer, said = run(streets=tmp_path / "streets.osm.pbf")
    assert answer == 2 and said.startswith("highstreet: streets.osm.pbf: no OpenStreetMap extract")
    answer, said = run(streets=tmp_path / "none.osm.pbf")
    assert answer == 2 and "none.osm.pbf" in said
    assert counts() == before


def test_nothing_of_another_city_is_taken_over(run: Run) -> None:
    """Stores stay in their city; a SKU stays its retailer's; a barcode means one product."""
    run()
    before = counts()
    answer, said = run(code="third")
    assert answer == 2 and "line 2: store south is already in the city second" in said
    moved = STORES.replace("south,", "south3,").replace("north,", "north3,").replace("house", "other")
    answer, said = run(code="third", retailer="other", stores=moved)
    assert answer == 2 and "line 2: SKU TEA belongs to the retailer house" in said
    answer, said = run(products=PRODUCTS.replace("TEA,", "TEB,"))
    assert answer == 2 and "line 2: barcode 2001000010486 is that of SKU TEA" in said
    assert counts() == before
