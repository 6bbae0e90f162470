"""Lists in pages: everything once and nothing twice, while things come in between one page and the next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from highstreet.kernel.policy import NOBODY
from highstreet.kernel.refusal import Refused
from highstreet.supply.catalog import reads as catalog
from highstreet.supply.catalog.models import Listing
from highstreet.trade.fulfilment import reads as fulfilment
from highstreet.trade.orders import reads

from .support import Town


def test_own_orders_are_paged_while_new_ones_come(town: Town) -> None:
    placed = [town.order(1, mode="pickup", method="at_pickup") for _ in range(5)]
    mine = replace(NOBODY, order_keys=frozenset(one.key for one in placed))
    seen, cursor = [], ""
    while True:
        cards, cursor = reads.page_of(mine, cursor=cursor, limit=2)
        seen += [card.id for card in cards]
        if not cursor:
            break
        late = town.order(1, mode="pickup", method="at_pickup")
        mine = replace(mine, order_keys=mine.order_keys | {late.key})
    assert seen == [one.order_id for one in reversed(placed)]


def test_a_queue_is_paged_by_urgency(town: Town) -> None:
    for _ in range(5):
        town.order(1, mode="pickup", method="at_pickup")
    worker, store = town.worker(), town.stores[0]
    whole = [card.id for card in fulfilment.queue(worker, store)]
    seen, cursor = [], ""
    while True:
        cards, cursor = fulfilment.queue_page(worker, store, cursor=cursor, limit=2)
        seen += [card.id for card in cards]
        if not cursor:
            break
    assert seen == whole
    assert len(whole) == 5


def test_a_shelf_is_paged_while_it_changes(town: Town) -> None:
    """A product that leaves the shelf between two pages pushes none of the others out of sight."""
    store = town.stores[0]
    whole = [card.variant_id for card in catalog.shelf(store, limit=100).items]
    assert len(whole) > 2
    first = catalog.shelf(store, limit=1)
    assert [card.variant_id for card in first.items] == whole[:1]
    Listing.objects.filter(store_id=store, variant_id=whole[0]).update(visible=False)
    rest, cursor = [], first.next
    while cursor:
        page = catalog.shelf(store, limit=1, cursor=cursor)
        rest += [card.variant_id for card in page.items]
        cursor = page.next
    assert rest == whole[1:]


@pytest.mark.parametrize("cursor", ["12", "x", "00-", "9" * 18 + "-" + "0" * 32, "\x00"])
def test_what_is_no_cursor_is_refused(town: Town, cursor: str) -> None:
    for page in (
        lambda: catalog.shelf(town.stores[0], cursor=cursor),
        lambda: reads.page_of(NOBODY, cursor=cursor),
        lambda: fulfilment.queue_page(town.worker(), town.stores[0], cursor=cursor),
    ):
        with pytest.raises(Refused, match="invalid"):
            page()
