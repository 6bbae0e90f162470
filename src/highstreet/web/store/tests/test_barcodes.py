from __future__ import annotations

import pytest

from highstreet.web.store.barcodes import svg


def test_ean_13_is_one_path_of_95_modules_and_quiet_zones() -> None:
    drawn = svg("6920000000012")
    assert 'viewBox="0 0 109 40"' in drawn and drawn.count("<path") == 1 and "style" not in drawn


@pytest.mark.parametrize("code", ["6920000000013", "A1024", "SKU-1"])
def test_anything_else_is_code_128(code: str) -> None:
    assert svg(code).startswith("<svg") and 'viewBox="0 0 109 40"' not in svg(code)


@pytest.mark.parametrize("code", ["", "条码", "a\x00b"])
def test_what_cannot_be_drawn_is_left_out(code: str) -> None:
    assert svg(code) == ""
