"""Quotes and orders as values."""

from . import orders, quotes
from .orders import (
    OrderCard,
    OrderLineView,
    OrderView,
    by_key,
    counts,
    id_of_key,
    line_names,
    live_of_city,
    must_see,
    order,
    orders_of,
    search,
)
from .quotes import QuoteLineView, QuoteView, quote

__all__ = [
    "OrderCard",
    "OrderLineView",
    "OrderView",
    "QuoteLineView",
    "QuoteView",
    "by_key",
    "counts",
    "id_of_key",
    "line_names",
    "live_of_city",
    "must_see",
    "order",
    "orders",
    "orders_of",
    "quote",
    "quotes",
    "search",
]
