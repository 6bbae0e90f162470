"""Which class a request is let in by."""

from __future__ import annotations

import pytest

from highstreet.kernel.pressure import BROWSING, CARTS, ORDERS, RANK, SEARCH, Class
from highstreet.web.door import class_of


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/cart", BROWSING),
        ("GET", "/", BROWSING),
        ("GET", "/search", SEARCH),
        ("POST", "/cart/lines", CARTS),
        ("GET", "/checkout", BROWSING),
        ("POST", "/checkout", ORDERS),
        ("GET", "/o/nothing", BROWSING),
        ("POST", "/o/ord_1/pay", ORDERS),
        ("GET", "/orders", BROWSING),
        ("GET", "/store/", ORDERS),
        ("POST", "/api/v1/stores/str_1/pause", ORDERS),
        ("GET", "/api/v1/stores/str_1/products", BROWSING),
    ],
)
def test_a_request_is_of_the_class_that_the_written_order_says(method: str, path: str, kind: Class) -> None:
    assert class_of(method, path) is kind


@pytest.mark.parametrize("path", ["/cart", "/checkout", "/o/ord_1", "/orders"])
@pytest.mark.parametrize(
    ("cookies", "kind"),
    [
        ("lang=en; place=x", BROWSING),
        ("scart=x; note=cart=x; sessionid2=x", BROWSING),
        ("lang=en; cart=x", CARTS),
        ("orders=x", CARTS),
        ("sessionid=x;lang=en", CARTS),
    ],
)
def test_a_shopper_who_looks_comes_before_strangers(path: str, cookies: str, kind: Class) -> None:
    assert class_of("GET", path, "", cookies) is kind
    assert RANK[class_of("POST", path, "", cookies)] >= RANK[CARTS]


@pytest.mark.parametrize("page", ["/", "/search", "/cart", "/checkout", "/store/", "/courier/", "/console/tower"])
def test_a_page_that_was_let_in_gets_its_styles(page: str) -> None:
    """Shed later than any page that asks for them."""
    assert RANK[class_of("GET", "/static/ui/components.css")] >= RANK[class_of("GET", page)]
