"""The shop's addresses. Mounted at the root as `shop:`."""

from __future__ import annotations

from django.urls import URLPattern, path

from .pages import basket, me, places, product, shelf

urlpatterns: list[URLPattern] = [
    path("", shelf.home, name="home"),
    path("browse", shelf.browse, name="browse"),
    path("c/<slug:code>", shelf.category, name="category"),
    path("search", shelf.search, name="search"),
    path("p/<slug:public_id>", product.product, name="product"),
    path("place", places.place, name="place"),
    path("place/map.svg", places.map_svg, name="map"),
    path("cart", basket.cart, name="cart"),
    path("cart/lines", basket.lines, name="lines"),
    path("me", me.me, name="me"),
    path("lang", me.lang, name="lang"),
    path("i18n/setlang/", me.lang, name="set_language"),
    path("home/", me.after_sign_in, name="after_sign_in"),
]
