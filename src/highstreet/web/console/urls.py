"""Addresses of the console, under /console/."""

from __future__ import annotations

from django.urls import path

from .pages import books, goods, integrations, orders, overview, people, promises, rights, roster, trail

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("board/roads.json", overview.roads, name="roads"),
    path("board/points.json", overview.points, name="points"),
    path("jump", orders.jump, name="jump"),
    path("orders", orders.listed, name="orders"),
    path("orders/<str:order>", orders.order, name="order"),
    path("orders/<str:order>/cancel", orders.cancel, name="cancel"),
    path("orders/<str:order>/lines/<str:line>/refund", orders.refund, name="refund"),
    path("catalogue", goods.catalogue, name="catalogue"),
    path("catalogue/<str:variant>", goods.product, name="product"),
    path("catalogue/<str:variant>/<str:store>", goods.listing, name="listing"),
    path("stock", goods.stock, name="stock"),
    path("stock/<str:store>/<str:variant>", goods.level, name="level"),
    path("promises", promises.kept, name="promises"),
    path("roster", roster.week, name="roster"),
    path("roster/propose", roster.propose, name="roster_propose"),
    path("roster/publish", roster.publish, name="roster_publish"),
    path("roster/shifts/<str:shift>", roster.shift, name="roster_shift"),
    path("ledger", books.accounts, name="ledger"),
    path("ledger/journals", books.journals, name="journals"),
    path("ledger/journals/<str:journal>", books.journal, name="journal"),
    path("ledger/accounts/<str:account>", books.account, name="account"),
    path("audit", books.audited, name="audit"),
    path("alerts", books.alerts, name="alerts"),
    path("alerts/<str:alert>/close", books.close_alert, name="close_alert"),
    path("integrations", integrations.listed, name="integrations"),
    path("integrations/keys/new", integrations.make_key, name="make_key"),
    path("integrations/keys/<str:key>/revoke", integrations.revoke_key, name="revoke_key"),
    path("integrations/webhooks/new", integrations.add_hook, name="add_hook"),
    path("integrations/webhooks/<str:hook>", integrations.hook, name="hook"),
    path("integrations/webhooks/<str:hook>/<str:what>", integrations.change, name="change_hook"),
    path("people", people.listed, name="people"),
    path("people/hire", people.hire, name="hire"),
    path("permissions", rights.listed, name="permissions"),
    path("permissions/second-factor", rights.second_factor, name="second_factor"),
    path("permissions/<str:role>/<str:permission>", rights.limit, name="limit"),
    path("trail", trail.listed, name="trail"),
    path("people/<str:employee>", people.member, name="member"),
    path("people/<str:employee>/active", people.active, name="active"),
]
