from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from highstreet.trade.fulfilment import rules
from highstreet.trade.fulfilment.rules import Tally


def test_barcodes_in_every_length_meet_the_catalogue() -> None:
    assert "6901234567892" in rules.spellings(" 6901234567892 ")
    assert "6901234567892" in rules.spellings("690 1234 567892")
    upc = rules.spellings("036000291452")
    assert "0036000291452" in upc
    assert "036000291452" in rules.spellings("0036000291452")
    assert rules.spellings("73513537")[:2] == ["73513537", "0000073513537"]


def test_a_wrong_check_digit_is_not_a_barcode_but_may_be_an_sku() -> None:
    assert rules.spellings("6901234567893") == ["6901234567893"]
    assert rules.spellings("sku-7") == ["sku-7", "SKU-7"]


@pytest.mark.parametrize("text", ["", "   ", "a" * 65, "牛奶", "a\x00b", "-", "a b", "'; DROP", "\ud800", "a" * 41])
def test_what_cannot_be_a_code_is_none(text: str) -> None:
    assert rules.spellings(text) == []


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert all(isinstance(name, str) and len(name) <= 64 for name in rules.spellings(text))


def test_aisles_sort_by_number_and_places_before_none() -> None:
    wanted = ["A2-01", "A10-02", "A10-03", "B1-04", ""]
    assert sorted(["", *wanted[3::-1]], key=rules.aisle_order) == wanted


def test_hopeless_only_when_nothing_can_come() -> None:
    assert rules.hopeless([Tally(2, 0, 2), Tally(1, 0, 1)])
    assert not rules.hopeless([Tally(2, 0, 2), Tally(1, 1, 0)])
    assert not rules.hopeless([Tally(2, 0, 1)])
    assert not rules.hopeless([Tally(2, 0, 2, swapped=1)])
    assert not rules.hopeless([Tally(2, 0, 2, asked=True)])


def test_the_bag_counts_substitutes() -> None:
    assert rules.in_bag([Tally(3, 1, 2, swapped=2), Tally(1, 0, 1)]) == 3
    assert Tally(3, 1, 1).left == 1


def test_cold_goods_do_not_go_back_on_the_shelf() -> None:
    assert [rules.restockable(name) for name in ("ambient", "chilled", "frozen")] == [True, False, False]
