"""A city's files, checked row by row: every bad row is named with its line and reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from stdnum import ean

T = TypeVar("T")
KINDS = {"supermarket", "dark_store", "corner_shop"}
TEMPERATURES = {"ambient", "chilled", "frozen"}
MAX_ROWS = 200_000


class BadFile(Exception):
    """`problems` are (line, reason); line 0 is the file as a whole."""

    def __init__(self, file: str, problems: list[tuple[int, str]]) -> None:
        shown = "; ".join(f"line {line}: {why}" if line else why for line, why in problems[:20])
        more = f" (and {len(problems) - 20} more)" if len(problems) > 20 else ""
        super().__init__(f"{file}: {shown}{more}")
        self.file = file
        self.problems = problems


@dataclass(frozen=True)
class CategoryRow:
    code: str
    name_zh: str
    name_en: str
    picture: str
    position: int
    group: str
    group_zh: str
    group_en: str


@dataclass(frozen=True)
class StoreRow:
    code: str
    kind: str
    organisation: str
    name_zh: str
    name_en: str
    address: str
    lat: float
    lon: float
    opens_minute: int
    closes_minute: int
    delivery_radius_m: int
    pick_minutes_base: int
    pick_seconds_per_unit: int


@dataclass(frozen=True)
class ProductRow:
    sku: str
    barcode: str
    category: str
    name_zh: str
    name_en: str
    unit_zh: str
    unit_en: str
    price: int
    measure: str
    picture: str
    aisle: str
    keywords: str
    temperature: str
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class PlaceRow:
    kind: str
    name_zh: str
    name_en: str
    lat: float
    lon: float
    weight: int


@dataclass(frozen=True)
class CityFiles:
    """A city as its files say, already checked row by row."""

    code: str
    name_zh: str
    name_en: str
    time_zone: str
    currency: str
    bounds: tuple[float, float, float, float]
    centre: tuple[float, float]
    organisations: dict[str, tuple[str, str, str]]
    categories: list[CategoryRow]
    stores: list[StoreRow]
    products: list[ProductRow]
    places: list[PlaceRow] = field(default_factory=list)


def read(file: str, data: bytes, parse: Callable[[dict[str, str]], T], unique: Iterable[str] = ()) -> list[T]:
    """Every row of a UTF-8 CSV through `parse` (which raises ValueError with the reason), or BadFile."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(file, [(data[: error.start].count(b"\n") + 1, "not UTF-8")]) from error
    if "\x00" in text:
        raise BadFile(file, [(text[: text.index("\x00")].count("\n") + 1, "holds a NUL character")])
    reader = csv.DictReader(io.StringIO(text), strict=True)
    rows: list[T] = []
    problems: list[tuple[int, str]] = []
    seen: dict[tuple[str, str], int] = {}
    try:
        for record in reader:
            try:
                if None in record or any(value is None for value in record.values()):
                    raise ValueError("wrong number of columns")
                rows.append(parse({name: value.strip() for name, value in record.items()}))
                for name in unique:
                    first = seen.setdefault((name, record[name].strip()), reader.line_num)
                    if first != reader.line_num:
                        raise ValueError(f"{name} {record[name].strip()} is already on line {first}")
            except (ValueError, KeyError) as error:
                why = f"column {error} is missing" if isinstance(error, KeyError) else str(error)
                problems.append((reader.line_num, why))
            if len(rows) > MAX_ROWS:
                raise BadFile(file, [(reader.line_num, f"more than {MAX_ROWS} rows")])
    except csv.Error as error:
        problems.append((reader.line_num, str(error)))
    if not rows and not problems:
        problems.append((0, "no rows"))
    if problems:
        raise BadFile(file, problems)
    return rows


def category(row: dict[str, str]) -> CategoryRow:
    return CategoryRow(
        _text(row, "code", 40),
        _text(row, "name_zh", 60),
        _text(row, "name_en", 60),
        _text(row, "picture", 60),
        _whole(row, "position", 0, 10_000),
        _text(row, "group", 40),
        _text(row, "group_zh", 60),
        _text(row, "group_en", 60),
    )


def store(row: dict[str, str]) -> StoreRow:
    kind = _one_of(row, "kind", KINDS)
    opens, closes = _minute(row, "opens"), _minute(row, "closes")
    if opens >= closes:
        raise ValueError(f"opens {row['opens']} is not before closes {row['closes']}")
    return StoreRow(
        _text(row, "code", 40),
        kind,
        _text(row, "organisation", 40),
        _text(row, "name_zh", 80),
        _text(row, "name_en", 80),
        _text(row, "address", 160),
        _degrees(row, "lat", 90),
        _degrees(row, "lon", 180),
        opens,
        closes,
        _whole(row, "delivery_radius_m", 0, 100_000),
        _whole(row, "pick_minutes_base", 0, 240),
        _whole(row, "pick_seconds_per_unit", 0, 3600),
    )


def product(row: dict[str, str]) -> ProductRow:
    barcode = _text(row, "barcode", 14)
    if not ean.is_valid(barcode):
        raise ValueError(f"barcode {barcode} has a wrong check digit")
    kinds = tuple(part for part in row["kinds"].split("|") if part)
    if not kinds or not set(kinds) <= KINDS:
        raise ValueError(f"kinds {row['kinds']!r} are not among {', '.join(sorted(KINDS))}")
    return ProductRow(
        _text(row, "sku", 40),
        barcode,
        _text(row, "category", 40),
        _text(row, "name_zh", 80),
        _text(row, "name_en", 80),
        _text(row, "unit_zh", 40),
        _text(row, "unit_en", 40),
        _whole(row, "price_fen", 1, 10_000_000),
        row["unit_price_basis"][:20],
        _text(row, "picture", 60),
        row["aisle"][:12],
        row["keywords"][:200],
        _one_of(row, "temperature", TEMPERATURES),
        kinds,
    )


def place(row: dict[str, str]) -> PlaceRow:
    """A landmark with its names, or (no names) a home cell weighted by its population."""
    names = row.get("name_zh", ""), row.get("name_en", "")
    kind = "landmark" if all(names) else "home"
    weight = _whole(row, "population", 0, 10_000_000) if "population" in row else 0
    return PlaceRow(kind, names[0], names[1], _degrees(row, "lat", 90), _degrees(row, "lon", 180), weight)


def _text(row: dict[str, str], name: str, limit: int) -> str:
    value = row[name]
    if not value:
        raise ValueError(f"{name} is empty")
    if len(value) > limit:
        raise ValueError(f"{name} is longer than {limit}")
    return value


def _whole(row: dict[str, str], name: str, least: int, most: int) -> int:
    value = row[name]
    if not value.isascii() or not value.lstrip("-").isdigit():
        raise ValueError(f"{name} {value!r} is not a whole number")
    if not least <= int(value) <= most:
        raise ValueError(f"{name} {value} is not in {least}..{most}")
    return int(value)


def _degrees(row: dict[str, str], name: str, most: float) -> float:
    try:
        value = float(row[name])
    except ValueError as error:
        raise ValueError(f"{name} {row[name]!r} is not a number") from error
    if not -most <= value <= most:
        raise ValueError(f"{name} {row[name]} is not in ±{most:g}")
    return value


def _one_of(row: dict[str, str], name: str, known: set[str]) -> str:
    if row[name] not in known:
        raise ValueError(f"{name} {row[name]!r} is not among {', '.join(sorted(known))}")
    return row[name]


def _minute(row: dict[str, str], name: str) -> int:
    hours, _, minutes = row[name].partition(":")
    if not (hours.isdigit() and minutes.isdigit() and len(minutes) == 2) or int(minutes) > 59:
        raise ValueError(f"{name} {row[name]!r} is not HH:MM")
    total = int(hours) * 60 + int(minutes)
    if total > 1440:
        raise ValueError(f"{name} {row[name]} is after 24:00")
    return total
