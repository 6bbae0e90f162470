"""Stock: what is here, why it is that many, and putting it right with a reason."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from highstreet.kernel import ids
from highstreet.kernel.policy import route
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_FOUND
from highstreet.supply.catalog import reads as catalog
from highstreet.supply.inventory import actions
from highstreet.supply.inventory import reads as inventory
from highstreet.supply.inventory.reads import MoveView
from highstreet.supply.stores.reads import StoreView

from .frame import StaffRequest, go, known, page, store_for, tried

REASONS = {
    "count": gettext_lazy("Counted again"),
    "damaged": gettext_lazy("Damaged"),
    "expired": gettext_lazy("Past its date"),
    "missing": gettext_lazy("Missing"),
    "found": gettext_lazy("Found"),
    "delivery": gettext_lazy("Goods came in"),
    "other": gettext_lazy("Another reason"),
}
MOST = 99_999
KINDS = {
    "receipt": gettext_lazy("came in"),
    "sale": gettext_lazy("sold"),
    "adjust": gettext_lazy("put right"),
    "damage": gettext_lazy("damaged"),
    "count": gettext_lazy("counted"),
    "return": gettext_lazy("came back"),
}


@route("stock.read")
def search(request: StaffRequest, store: str) -> HttpResponse:
    """Find goods by name, pinyin, SKU or a scanned barcode; a barcode leads straight to its level."""
    shop = store_for(request, store)
    query = request.GET.get("q", "").strip()[:60]
    scanned = catalog.by_barcode(query) if query.isdigit() and 8 <= len(query) <= 14 else None
    if scanned is not None:
        return go(request, "stock_of", store, ids.public("var", scanned.id))
    shelf = catalog.shelf(shop.id, query=query, cursor=request.GET.get("from", ""))
    levels = inventory.levels(shop.id, [card.variant_id for card in shelf.items])
    rows = [(card, ids.public("var", card.variant_id), levels.get(card.variant_id)) for card in shelf.items]
    return page(request, shop, "stock", {"query": query, "rows": rows, "next": shelf.next}, tab="stock")


@route("stock.read")
def level(request: StaffRequest, store: str, variant: str) -> HttpResponse:
    """One variant here: its level and every move that led to it."""
    shop = store_for(request, store)
    return _level(request, shop, variant)


@route("stock.adjust")
@require_POST
def adjust(request: StaffRequest, store: str, variant: str) -> HttpResponse:
    """More or fewer units, with a reason from the list and, for "another", words."""
    shop = store_for(request, store)
    variant_id = known("var", variant)
    problems = {}
    units = request.POST.get("units", "").strip()
    if not (units.isascii() and units.isdigit() and len(units) <= 6 and 1 <= int(units) <= MOST):
        problems["units"] = _("Type a number from 1 to {most}").format(most=MOST)
    if request.POST.get("way") not in ("more", "fewer"):
        problems["way"] = _("Say whether it is more or fewer")
    reason = request.POST.get("reason", "")
    words = " ".join(request.POST.get("words", "").split())[:60]
    if reason not in REASONS:
        problems["reason"] = _("Choose a reason")
    elif reason == "other" and not words:
        problems["words"] = _("Say what happened in a few words")
    if problems:
        return _level(request, shop, variant, problems=problems)
    delta = int(units) if request.POST["way"] == "more" else -int(units)
    done = tried(
        lambda: actions.adjust(
            actor=request.actor,
            store_id=shop.id,
            variant_id=variant_id,
            delta=delta,
            reason=f"{reason}: {words}" if words else reason,
        )
    )
    if done.refused:
        return _level(request, shop, variant, refused=done.refused)
    return go(request, "stock_of", store, variant, say=_("Stock changed by {delta}").format(delta=f"{delta:+d}"))


def _level(
    request: StaffRequest,
    shop: StoreView,
    code: str,
    *,
    problems: dict[str, str] | None = None,
    refused: Refused | None = None,
) -> HttpResponse:
    variant_id = known("var", code)
    variant = catalog.variants([variant_id]).get(variant_id)
    if variant is None:
        raise Refused(NOT_FOUND)
    moves = inventory.moves(actor=request.actor, store_id=shop.id, variant_id=variant_id)
    context = {
        "variant": variant,
        "variant_code": code,
        "level": inventory.levels(shop.id, [variant_id]).get(variant_id),
        "moves": [MoveRow.of(move) for move in moves],
        "reasons": REASONS,
        "problems": problems or {},
        "form": request.POST,
        "may_adjust": request.actor.may("stock.adjust"),
    }
    return page(request, shop, "level", context, tab="stock", refused=refused, status=422 if problems else 0)


@dataclass(frozen=True)
class MoveRow:
    """A move as it is read: what happened, the list's reason, and the words that were added."""

    move: MoveView
    kind: str
    reason: str
    words: str
    delta: str

    @staticmethod
    def of(move: MoveView) -> MoveRow:
        code, _colon, words = move.reason.partition(": ")
        reason, words = (str(REASONS[code]), words) if code in REASONS else ("", move.reason)
        shown = f"{move.delta:+d}".replace("-", "\u2212")
        return MoveRow(move, str(KINDS.get(move.kind, move.kind)), reason, words, shown)
