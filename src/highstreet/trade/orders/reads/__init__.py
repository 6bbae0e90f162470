"""Quotes and orders as values."""

from . import orders, quotes
from .keys import OrderKeys
from .orders import (
    OrderCard,
    OrderLineView,
    OrderView,
    Parties,
    by_key,
    counts,
    id_of_key,
    line_names,
    live_of_city,
    must_see,
    order,
    orders_of,
    page_of,
    parties,
    search,
)
from .quotes import QuoteLineView, QuoteView, cash_at_door, quote
from .slots import slots

__all__ = [
    "OrderCard",
    "OrderKeys",
    "OrderLineView",
    "OrderView",
    "Parties",
    "QuoteLineView",
    "QuoteView",
    "by_key",
    "cash_at_door",
    "counts",
    "id_of_key",
    "line_names",
    "live_of_city",
    "must_see",
    "order",
    "orders",
    "orders_of",
    "page_of",
    "parties",
    "quote",
    "quotes",
    "search",
    "slots",
]
