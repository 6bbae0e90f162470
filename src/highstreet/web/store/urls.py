"""Addresses of the store app, under /store/."""

from __future__ import annotations

from django.urls import path

from .pages import cash, desk, figures, picking, queue, stock
from .pages.worker import worker

urlpatterns = [
    path("", queue.home, name="home"),
    path("worker.js", worker, name="worker"),
    path("<str:store>/", queue.queue, name="queue"),
    path("<str:store>/find", desk.find, name="find"),
    path("<str:store>/collect", desk.collect, name="collect"),
    path("<str:store>/cash", cash.cash, name="cash"),
    path("<str:store>/stock", stock.search, name="stock"),
    path("<str:store>/stock/<str:variant>", stock.level, name="stock_of"),
    path("<str:store>/stock/<str:variant>/adjust", stock.adjust, name="adjust"),
    path("<str:store>/figures", figures.figures, name="figures"),
    path("<str:store>/pause", figures.pause, name="pause"),
    path("<str:store>/orders/<str:order>", picking.order, name="order"),
    path("<str:store>/orders/<str:order>/accept", queue.accept, name="accept"),
    path("<str:store>/orders/<str:order>/reject", queue.reject, name="reject"),
    path("<str:store>/orders/<str:order>/scan", picking.scan, name="scan"),
    path("<str:store>/orders/<str:order>/pack", picking.pack, name="pack"),
    path("<str:store>/orders/<str:order>/hand-over", desk.hand_over, name="hand_over"),
    path("<str:store>/orders/<str:order>/print", picking.printed, name="print"),
    path("<str:store>/orders/<str:order>/lines/<str:line>", picking.short, name="short"),
    path("<str:store>/orders/<str:order>/lines/<str:line>/substitute", picking.substitute, name="substitute"),
]
