"""Home, browse, a category, search: shelves of the store that serves here."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _

from highstreet.kernel import pressure
from highstreet.kernel.policy import PUBLIC, route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.catalog import reads as catalog
from highstreet.supply.catalog.reads import CardView, CategoryView, Page
from highstreet.supply.organisations.reads import remembered

from .front import basket, front, groups, in_cart, tiles
from .last import last_order
from .visit import Visit, shop_page

# With the page's own nine files, what a first view may load (20 requests).
PAGE = 12
HOME = 10
WIDE = 400
GUESSES = 6
EMPTY = Page([], "")


@route(PUBLIC)
@shop_page
def home(visit: Visit) -> HttpResponse:
    """What is near, open, how soon; reorder; categories; products."""
    return _shelf(visit, "shop/home.html", nav="home", last=last_order(visit))


@route(PUBLIC)
@shop_page
def browse(visit: Visit) -> HttpResponse:
    """Every category under its heading."""
    by_group: dict[str, list[CategoryView]] = {}
    for category in catalog.categories():
        by_group.setdefault(category.group_code, []).append(category)
    context = {"sections": [(group, by_group[group["code"]]) for group in groups()]}
    return visit.show("shop/browse.html", context, nav="browse")


@route(PUBLIC)
@shop_page
def category(visit: Visit, code: str) -> HttpResponse:
    """A heading's or a category's shelf."""
    known = catalog.categories()
    one = next((item for item in known if item.code == code), None)
    group = one.group_code if one else code
    siblings = [item for item in known if item.group_code == group]
    if not siblings:
        raise Refused(NOT_FOUND)
    return _shelf(
        visit,
        "shop/category.html",
        nav="browse",
        category=code if one else "",
        group="" if one else group,
        siblings=siblings,
        one=one,
        group_code=group,
        title=one.name if one else siblings[0].group,
    )


@route(PUBLIC)
@shop_page
def search(visit: Visit) -> HttpResponse:
    """What matches the words; when nothing does, what might be meant and where to look."""
    query = " ".join(visit.request.GET.get("q", "").replace("\x00", " ").split())[:80]
    return _shelf(visit, "shop/search.html", nav="browse", query=query, title=query or _("Search"))


def _shelf(
    visit: Visit,
    template: str,
    *,
    nav: str,
    category: str = "",
    group: str = "",
    query: str = "",
    **context: Any,
) -> HttpResponse:
    found = basket_of = None
    shown = front(visit)
    if shown.store is not None:
        basket_of = basket(visit, shown.store)
        cursor = visit.request.GET.get("after", "")
        if nav == "home":
            found = Page(_front_row(shown.store.id), "")
        else:
            found = catalog.shelf(
                shown.store.id, category=category, group=group, query=query, limit=PAGE, cursor=cursor
            )
        if not found.items and query and pressure.spare():
            context["guess"] = _guess(shown.store.id, query)
    page = found or EMPTY
    if page.next:
        kept = {"q": query, "after": page.next} if query else {"after": page.next}
        context["more_url"] = f"{visit.request.path}?{urlencode(kept)}"
    return visit.show(
        template,
        {
            "front": shown,
            "tiles": tiles(page.items, in_cart(basket_of), visit.actor.language),
            "basket": basket_of,
            "groups": groups(),
            "query": query,
            "next": visit.request.get_full_path(),
            **context,
        },
        nav=nav,
    )


def _front_row(store_id: UUID) -> list[CardView]:
    """What stands in front, with the price and stock of now."""
    wanted = _picked(store_id)
    now = catalog.cards(store_id, wanted)
    return [now[variant_id] for variant_id in wanted if variant_id in now and now[variant_id].free > 0][:HOME]


@remembered
def _picked(store_id: UUID) -> list[UUID]:
    """The first of each category, then the second of each: what stands in front is not all of one kind.

    Half as many again as are shown, so that what sells out within a minute leaves no hole.
    """
    seen: dict[str, int] = {}
    ranked = []
    for index, card in enumerate(catalog.shelf(store_id, limit=WIDE).items):
        seen[card.category_code] = seen.get(card.category_code, 0) + 1
        ranked.append((card.free <= 0, seen[card.category_code], index, card.variant_id))
    return [variant_id for *_, variant_id in sorted(ranked)][: HOME * 3 // 2]


def _guess(store_id: UUID, query: str) -> str:
    """A word near the one that found nothing: the longest beginning of it that finds anything."""
    shortest = 2 if query[:2].isascii() else 1
    for length in list(range(min(len(query) - 1, 12), shortest - 1, -1))[:GUESSES]:
        found = catalog.shelf(store_id, query=query[:length], limit=1).items
        if found:
            return found[0].name
    return ""
