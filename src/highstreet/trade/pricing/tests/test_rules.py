from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from highstreet.trade.pricing import rules
from highstreet.trade.pricing.rules import Item


@dataclass(frozen=True)
class Fees:
    delivery_fee: int = 500
    free_delivery_from: int = 4900


items = st.lists(st.builds(Item, st.integers(0, 10**6), st.integers(1, 99)), max_size=30)


@given(items, st.sampled_from(["delivery", "pickup"]), st.integers(0, 5000), st.integers(0, 10**5))
def test_a_total_is_its_parts(lines: list[Item], mode: str, fee: int, free_from: int) -> None:
    terms = Fees(fee, free_from)
    priced = rules.basket(lines, terms, mode)
    assert sum(priced.line_totals) == priced.goods_total
    assert priced.total == priced.goods_total + priced.delivery_fee
    assert priced.delivery_fee in (0, fee)
    assert priced.delivery_fee == 0 or (mode == "delivery" and priced.goods_total < free_from)


@given(items, items)
def test_more_goods_never_cost_less_goods(lines: list[Item], more: list[Item]) -> None:
    assert rules.basket(lines + more, Fees(), "pickup").total >= rules.basket(lines, Fees(), "pickup").total


@given(st.integers(0, 10**6), st.integers(1, 99), st.data())
def test_any_mix_of_refunds_closes_to_nothing(price: int, quantity: int, data: st.DataObject) -> None:
    refunded = given_back = 0
    while refunded < quantity:
        units = data.draw(st.integers(1, quantity - refunded))
        given_back += rules.refund_of_units(price, quantity, refunded, units)
        refunded += units
    assert given_back == price * quantity
    with pytest.raises(ValueError):
        rules.refund_of_units(price, quantity, refunded, 1)


@pytest.mark.parametrize("quantity", [0, -1, 100, 10**18])
def test_a_line_has_1_to_99_units(quantity: int) -> None:
    with pytest.raises(ValueError):
        rules.basket([Item(100, quantity)], Fees(), "delivery")


def test_a_negative_price_is_no_price() -> None:
    with pytest.raises(ValueError):
        rules.basket([Item(-1, 1)], Fees(), "delivery")


@pytest.mark.parametrize(("goods", "fee", "missing"), [(0, 500, 4900), (4899, 500, 1), (4900, 0, 0), (10**6, 0, 0)])
def test_delivery_is_free_from_a_basket_on(goods: int, fee: int, missing: int) -> None:
    assert rules.delivery_fee(Fees(), goods) == fee
    assert rules.to_free_delivery(Fees(), goods) == missing


@given(st.integers(-(10**6), 10**6), st.integers(0, 99))
def test_a_dearer_substitute_costs_nothing(below: int, units: int) -> None:
    back = rules.refund_of_difference(below, units)
    assert back == (below * units if below > 0 else 0)
