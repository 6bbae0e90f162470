"""Words to search by, barcodes, unit prices."""

from __future__ import annotations

import re
from fractions import Fraction

from stdnum import ean

_MEASURE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(g|kg|ml|l|pcs)\s*$", re.IGNORECASE)
_BASES = {
    "g": (Fraction(1), 100, "100 g"),
    "kg": (Fraction(1000), 100, "100 g"),
    "ml": (Fraction(1), 100, "100 ml"),
    "l": (Fraction(1000), 100, "100 ml"),
    "pcs": (Fraction(1), 1, "1"),
}


def search_text(name_zh: str, name_en: str, keywords: str, category_zh: str, category_en: str) -> str:
    """What a product is found by: both names, keywords, category, full pinyin and its initials; lower case."""
    # 56 MB that only who writes products needs.
    from pypinyin import Style, lazy_pinyin

    syllables = lazy_pinyin(name_zh, errors="ignore")
    initials = lazy_pinyin(name_zh, style=Style.FIRST_LETTER, errors="ignore")
    parts = [name_zh, name_en, keywords, category_zh, category_en, "".join(syllables), "".join(initials)]
    return " ".join(part for part in parts if part).casefold()


def terms_of(query: str) -> list[str]:
    """The words of a query, at most 8, lower case, without NUL."""
    return query.replace("\x00", " ").casefold().split()[:8]


def is_barcode(code: str) -> bool:
    """Whether `code` is a valid EAN-8 or EAN-13 (GS1 General Specifications, check digit modulo 10)."""
    return bool(ean.is_valid(code))


def unit_price(price: int, measure: str) -> tuple[int, str] | None:
    """Fen per base ("100 g", "100 ml", "1") for a measure such as "950 ml"; None when it has no measure."""
    match = _MEASURE.match(measure)
    if match is None:
        return None
    factor, per, label = _BASES[match.group(2).lower()]
    base = Fraction(match.group(1)) * factor
    if base <= 0 or (label == "1" and base == 1):
        return None
    return round(Fraction(price) * per / base), label
