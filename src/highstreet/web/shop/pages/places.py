"""Where the shopper is: typed, chosen from a list, or pointed at on a map; all without JavaScript."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _

from highstreet.kernel import clock
from highstreet.kernel.policy import PUBLIC, route
from highstreet.people.customers import reads as customers
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.stores import reads as stores
from highstreet.trade.orders.ports import geo

from ..drawing import picture
from ..rules import View, around
from .visit import Visit, shop_page

# Metres across, widest first; the drawing is shown unscaled, so that a click says its place.
ZOOMS = (6400, 3200, 1600, 800)
SIZES = {"s": (256, 240), "l": (600, 380)}
MOST_TEXT = 160


@route(PUBLIC)
@shop_page
def place(visit: Visit) -> HttpResponse:
    """GET shows the choices; POST takes a typed address, a listed place, a point of the map, or a position."""
    if visit.request.method != "POST":
        return _choose(visit)
    posted = visit.request.POST
    if posted.get("store"):
        return _store(visit, posted["store"])
    if "lat" in posted and "lon" in posted:
        return _point(visit, _number(posted["lat"]), _number(posted["lon"]))
    for size in SIZES:
        if f"{size}.x" in posted:
            view = _view(_centre(visit, posted), _zoom(posted.get("zoom", "")), size)
            x, y = _number(posted.get(f"{size}.x", "")), _number(posted.get(f"{size}.y", ""))
            if x is None or y is None:
                return _choose(visit, error=_("Point at the map again."))
            return _point(visit, *view.point(round(x), round(y)))
    if posted.get("pick"):
        return _listed(visit, posted["pick"])
    return _typed(visit, posted.get("address", ""))


@route(PUBLIC)
@shop_page
def map_svg(visit: Visit) -> HttpResponse:
    """The picture behind the map's button."""
    query = visit.request.GET
    size = query.get("size", "s")
    view = _view(_centre(visit, query), _zoom(query.get("zoom", "")), size if size in SIZES else "s")
    shops = [(store.lat, store.lon, "#1a1c19") for store in stores.stores_of(visit.city.id)]
    answer = HttpResponse(
        picture(visit.city.id, view, [*shops, (visit.here.lat, visit.here.lon, "#b93815")]),
        content_type="image/svg+xml",
    )
    answer["Cache-Control"] = "private, max-age=600"
    return answer


def _choose(visit: Visit, *, error: str = "", typed: str = "") -> HttpResponse:
    query = visit.request.POST if visit.request.method == "POST" else visit.request.GET
    centre, zoom = _centre(visit, query), _zoom(query.get("zoom", ""))
    step = ZOOMS[zoom] / 3 / 111_195
    now = clock.now()
    near = stores.nearest(visit.city.id, visit.here.lat, visit.here.lon, reaching=False)
    near.sort(key=lambda store: store.distance_m(visit.here.lat, visit.here.lon))
    context: dict[str, Any] = {
        "error": error,
        "typed": typed or (visit.here.label if visit.here.chosen else ""),
        "next": visit.back(""),
        "places": organisations.places(visit.city.id),
        "addresses": customers.addresses(visit.actor),
        "sizes": [(name, *size, "only-narrow" if name == "s" else "only-wide") for name, size in SIZES.items()],
        "zoom": zoom,
        "zoom_in": min(zoom + 1, len(ZOOMS) - 1),
        "zoom_out": max(zoom - 1, 0),
        "zooms": len(ZOOMS) - 1,
        "lat": f"{centre[0]:.5f}",
        "lon": f"{centre[1]:.5f}",
        "moves": [
            (_("North"), "↑", f"{centre[0] + step:.5f}", f"{centre[1]:.5f}"),
            (_("South"), "↓", f"{centre[0] - step:.5f}", f"{centre[1]:.5f}"),
            (_("West"), "←", f"{centre[0]:.5f}", f"{centre[1] - step:.5f}"),
            (_("East"), "→", f"{centre[0]:.5f}", f"{centre[1] + step:.5f}"),
        ],
        "shops": [(store, store.distance_m(visit.here.lat, visit.here.lon), store.is_open(now)) for store in near],
    }
    return visit.show("shop/place.html", context, nav="home", status=422 if error else 200)


def _be(visit: Visit, lat: float, lon: float, label: str) -> HttpResponse:
    visit.be_at(replace(visit.here, lat=round(lat, 6), lon=round(lon, 6), label=label[:MOST_TEXT], chosen=True))
    return visit.go(visit.back("/"))


def _typed(visit: Visit, text: str) -> HttpResponse:
    words = " ".join(text.split())[:MOST_TEXT]
    if not words.isprintable() or len(words) < 2:
        return _choose(visit, error=_("Type a street and number, or the name of a place."), typed=words)
    found = geo().geocode(visit.city.id, words, visit.here.lat, visit.here.lon)
    if found is None:
        say = _("We cannot find “{words}”. Check the street's name, choose from the list, or point at the map.")
        return _choose(visit, error=say.format(words=words), typed=words)
    return _be(visit, found.lat, found.lon, words)


def _listed(visit: Visit, chosen: str) -> HttpResponse:
    for place in organisations.places(visit.city.id):
        if str(place.id) == chosen:
            return _be(visit, place.lat, place.lon, place.name)
    for address in customers.addresses(visit.actor):
        if str(address.id) == chosen:
            return _be(visit, address.lat, address.lon, address.text)
    return _choose(visit, error=_("That place is no longer listed. Choose another."))


def _point(visit: Visit, lat: float | None, lon: float | None) -> HttpResponse:
    if lat is None or lon is None:
        return _choose(visit, error=_("Your position did not arrive. Type the address instead."))
    if not visit.city.contains(lat, lon):
        say = _("That is outside {city}, where we do not deliver yet. Choose a place in it.")
        return _choose(visit, error=say.format(city=visit.city.name))
    return _be(visit, lat, lon, label_of(visit.city.id, lat, lon))


def _store(visit: Visit, code: str) -> HttpResponse:
    known = {store.code for store in stores.stores_of(visit.city.id)}
    if code not in known:
        return _choose(visit, error=_("That store has closed. Choose another."))
    visit.be_at(replace(visit.here, mode="pickup", store=code))
    return visit.go(visit.back("/"))


def label_of(city_id: UUID, lat: float, lon: float) -> str:
    """A point in words: near the nearest place that people know."""
    known = organisations.places(city_id)
    if not known:
        return f"{lat:.4f}, {lon:.4f}"
    near = min(known, key=lambda place: (place.lat - lat) ** 2 + (place.lon - lon) ** 2)
    return _("Near {place}").format(place=near.name)


def _view(centre: tuple[float, float], zoom: int, size: str) -> View:
    return around(centre, ZOOMS[zoom] * SIZES[size][0] / SIZES["s"][0], *SIZES[size])


def _centre(visit: Visit, query: Any) -> tuple[float, float]:
    lat, lon = _number(query.get("clat", "")), _number(query.get("clon", ""))
    if lat is None or lon is None or not visit.city.contains(lat, lon):
        return visit.here.lat, visit.here.lon
    return lat, lon


def _zoom(text: str) -> int:
    return int(text) if text in {"0", "1", "2", "3"} else 1


def _number(text: str) -> float | None:
    try:
        value = float(text[:24])
    except ValueError:
        return None
    return value if abs(value) < 100_000 else None


__all__ = ["label_of", "map_svg", "place"]
