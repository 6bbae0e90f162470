from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from highstreet.kernel import ids
from highstreet.trade.cart import rules


@given(st.text() | st.integers() | st.floats() | st.booleans() | st.none())
def test_a_quantity_is_a_whole_number_to_99(value: object) -> None:
    assert rules.is_quantity(value) == (type(value) is int and 0 <= value <= 99)


@given(st.text(max_size=40))
def test_nothing_but_a_key_is_a_key(text: str) -> None:
    assert not rules.is_key(text) or (len(text) == 32 and text.isascii() and text.isalnum())


def test_what_we_make_is_a_key() -> None:
    assert all(rules.is_key(ids.random_token(rules.KEY_LENGTH)) for _ in range(100))


@pytest.mark.parametrize("text", ["", "\x00" * 32, "A" * 32, "\ud800" * 32, "é" * 32, "0" * 31, "0" * 33])
def test_other_texts_are_none(text: str) -> None:
    assert not rules.is_key(text)
