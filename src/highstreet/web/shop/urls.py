"""The shop's addresses. Mounted at the root as `shop:`."""

from __future__ import annotations

from django.urls import URLPattern, path

from .pages import basket, checkout, data, me, pay, places, product, shelf, track

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
    path("checkout", checkout.checkout, name="checkout"),
    path("checkout/quote", checkout.requote, name="requote"),
    path("o/<slug:ref>", track.order, name="order"),
    path("o/<slug:ref>/pay", pay.pay, name="pay"),
    path("o/<slug:ref>/cancel", track.cancel, name="cancel"),
    path("o/<slug:ref>/answer", track.answer, name="answer"),
    path("o/<slug:ref>/rate", track.rate, name="rate"),
    path("o/<slug:ref>/reorder", track.reorder, name="reorder"),
    path("orders", pay.listing, name="orders"),
    path("me", me.me, name="me"),
    path("me/data", data.data, name="data"),
    path("me/data/consent", data.consent, name="consent"),
    path("me/data/export", data.export, name="export"),
    path("me/data/erase", data.erase, name="erase"),
    path("me/data/erased", data.erased, name="erased"),
    path("me/devices", me.devices, name="devices"),
    path("lang", me.lang, name="lang"),
    path("i18n/setlang/", me.lang, name="set_language"),
    path("home/", me.after_sign_in, name="after_sign_in"),
]
