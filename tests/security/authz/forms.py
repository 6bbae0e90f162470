"""What is sent to each route: which of a plot's things stand for a path's parameters, and a right body for each write.

A new route needs a line here only where its parameters mean something that no line says yet, or where it takes a body.
"""

from __future__ import annotations

from typing import Any

from .plots import Plot
from .routes import Route

# The longest prefix that fits counts; a parameter's value is the name of a plot's value, or "=" and a text.
PARAMETERS: dict[str, dict[str, str]] = {
    "/api/v1/": {
        "store": "store",
        "product": "product",
        "variant": "variant",
        "code": "city",
        "order": "order_riding",
        "quote": "quote",
        "fulfilment": "fulfilment_picking",
        "delivery_id": "delivery",
        "provider": "=wechat",
        "webhook": "webhook",
        "sending": "sending",
        "fleet": "fleet",
        "purpose": "=marketing",
        "day": "=2099-01-01",
        "shift": "roster_shift",
        "wish": "wish",
        "replay": "replay",
    },
    "/api/v1/carts/": {"key": "cart", "variant": "variant"},
    "/api/v1/partners/keys/": {"key": "api_key"},
    "/api/v1/orders/{order}/cancel": {"order": "order_pending"},
    "/api/v1/orders/{order}/pay": {"order": "order_pending"},
    "/api/v1/orders/{order}/review": {"order": "order_done"},
    "/api/v1/orders/{order}/substitutes/": {"order": "order_picking", "line": "line_asked"},
    "/api/v1/fulfilments/{fulfilment}/accept": {"fulfilment": "fulfilment_pending"},
    "/api/v1/fulfilments/{fulfilment}/reject": {"fulfilment": "fulfilment_pending"},
    "/api/v1/fulfilments/{fulfilment}/hand-over": {"fulfilment": "fulfilment_riding"},
    "/c/": {"code": "=milk"},
    "/p/": {"public_id": "product"},
    "/o/": {"ref": "order_riding"},
    "/o/{ref}/answer": {"ref": "order_picking"},
    "/o/{ref}/cancel": {"ref": "order_pending"},
    "/o/{ref}/pay": {"ref": "order_pending"},
    "/o/{ref}/rate": {"ref": "order_done"},
    "/o/{ref}/reorder": {"ref": "order_done"},
    "/store/": {"store": "store", "order": "fulfilment_picking", "line": "line_picking", "variant": "variant"},
    "/store/{store}/orders/{order}/accept": {"store": "store", "order": "fulfilment_pending"},
    "/store/{store}/orders/{order}/reject": {"store": "store", "order": "fulfilment_pending"},
    "/store/{store}/orders/{order}/hand-over": {"store": "store", "order": "fulfilment_riding"},
    "/courier/shifts/": {"shift": "roster_shift", "what": "=offer"},
    "/courier/wishes/": {"wish": "wish"},
    "/courier/stops/": {"delivery": "delivery", "step": "=arrive_store"},
    "/console/": {
        "order": "order_done",
        "line": "order_line_done",
        "variant": "variant",
        "store": "store",
        "journal": "journal",
        "account": "account",
        "alert": "alert",
        "key": "api_key",
        "hook": "webhook",
        "what": "=replay",
        "fleet": "fleet",
        "employee": "employee",
        "role": "=support",
        "permission": "=orders.refund",
        "replay": "replay",
        "shift": "roster_shift",
    },
    "/console/tower/": {"order": "order_riding"},
    "/console/orders/{order}/cancel": {"order": "order_pending"},
    "/console/fleets/alerts/": {"alert": "fleet_alert", "what": "=close"},
    "/console/fleets/{fleet}/{what}": {"fleet": "fleet", "what": "=off"},
    "/admin/": {"app_label": "=orders", "object_id": "=1", "id": "=1", "content_type_id": "=1", "url": "=nothing"},
    "/accounts/": {"key": "=x", "uidb36": "=x"},
}

# JSON for the API, a form for pages; "{name}" is a plot's value.
BODIES: dict[str, Any] = {
    "POST /api/v1/carts": {"city": "{city}", "lines": [{"variant": "{variant}", "quantity": 1}]},
    "PUT /api/v1/carts/{key}/lines/{variant}": {"quantity": 2},
    "POST /api/v1/checkout": {
        "lines": [{"variant": "{variant}", "quantity": 1}],
        "mode": "pickup",
        "store": "{store}",
        "city": "{city}",
        "phone": "13800000000",
        "payment_method": "at_pickup",
        "most_total": 10000000,
        "latest": "2099-12-31T00:00:00Z",
    },
    "POST /api/v1/courier/wishes": {"kind": "want", "weekday": 0, "from_time": "18:00", "to_time": "22:00"},
    "PUT /api/v1/courier/position": {"lat": 31.23, "lon": 121.47},
    "POST /api/v1/deliveries/{delivery_id}/pick_up": {"code": ""},
    "POST /api/v1/cities/{code}/replays": {"day": "2001-01-01", "policy": "timely"},
    "POST /api/v1/deliveries/{delivery_id}/deliver": {"proof_kind": "code", "proof": "0000"},
    "POST /api/v1/deliveries/{delivery_id}/incident": {"kind": "cannot_go_on"},
    "POST /api/v1/deliveries/{delivery_id}/override": {"courier": None, "why": "late"},
    "POST /api/v1/fulfilments/{fulfilment}/reject": {"reason": "too_busy"},
    "POST /api/v1/fulfilments/{fulfilment}/scan": {"code": "{barcode}", "units": 1},
    "POST /api/v1/fulfilments/{fulfilment}/short": {"line": "{line_picking}", "units": 1},
    "POST /api/v1/fulfilments/{fulfilment}/substitute": {
        "line": "{line_picking}",
        "units": 1,
        "variant": "{other_variant}",
    },
    "POST /api/v1/fulfilments/{fulfilment}/hand-over": {"code": ""},
    "PUT /api/v1/me/consents/{purpose}": {"given": True},
    "POST /api/v1/me/erasure": {"confirm": "ERASE"},
    "POST /api/v1/orders": {
        "quote": "{quote}",
        "cart": "{cart}",
        "phone": "13800000000",
        "payment_method": "at_pickup",
    },
    "POST /api/v1/orders/{order}/cancel": {"reason": "mine"},
    "POST /api/v1/orders/{order}/pay": {"openid": ""},
    "POST /api/v1/orders/{order}/review": {"stars": 5, "text": "good"},
    "POST /api/v1/orders/{order}/substitutes/{line}": {"agreed": True},
    "POST /api/v1/partners/keys": {"name": "new", "scopes": ["console.read"], "stores": ["{store}"]},
    "POST /api/v1/partners/webhooks": {"url": "https://127.0.0.1/x", "events": ["order.paid"]},
    "PATCH /api/v1/partners/webhooks/{webhook}": {"active": False},
    "POST /api/v1/partners/webhooks/{webhook}/replay": {"after": "{message}"},
    "POST /api/v1/payments/{provider}/notify": {"id": "x"},
    "POST /api/v1/fleets/{fleet}/notify": {"id": "x"},
    "POST /api/v1/privacy/exports": {"order_key": "{key_done}", "phone": "{phone}"},
    "POST /api/v1/privacy/erasures": {"order_key": "{key_done}", "phone": "{phone}", "confirm": "ERASE"},
    "POST /api/v1/quotes": {"cart": "{cart}", "mode": "pickup", "store": "{store}"},
    "POST /api/v1/roster-shifts/{shift}/give": {"courier": "{courier}"},
    "POST /api/v1/sessions": {"username": "anna", "password": "wrong"},
    "POST /api/v1/store/collect": {"store": "{store}", "code": "{pickup_code}", "cash_received": 0},
    "POST /api/v1/stores/{store}/cash": {"courier": "{courier}", "amount": 100},
    "POST /cart/lines": {"variant": "{variant}", "qty": "1"},
    "POST /me/data/consent": {"purpose": "marketing", "given": "1"},
    "POST /me/data/erase": {"confirm": "ERASE"},
    "POST /o/{ref}/answer": {"line": "{line_asked}", "agreed": "1"},
    "POST /o/{ref}/rate": {"stars": "5", "text": "good"},
    "POST /place": {"store": "{store_code}"},
    "POST /lang": {"language": "en"},
    "POST /i18n/setlang/": {"language": "en"},
    "POST /store/{store}/collect": {"code": "{pickup_code}", "cash": "taken"},
    "POST /store/{store}/cash": {"courier": "{courier}", "amount": "1.00", "key": "k"},
    "POST /store/{store}/stock/{variant}/adjust": {"units": "1", "way": "fewer", "reason": "damaged"},
    "POST /store/{store}/pause": {"minutes": "15"},
    "POST /store/{store}/orders/{order}/reject": {"reason": "too_busy", "sure": "yes"},
    "POST /store/{store}/orders/{order}/scan": {"code": "{barcode}"},
    "POST /store/{store}/orders/{order}/lines/{line}": {"units": "1", "sure": "yes"},
    "POST /store/{store}/orders/{order}/lines/{line}/substitute": {"variant": "{other_variant}", "units": "1"},
    "POST /courier/shift": {"on": "1"},
    "POST /courier/wishes": {"kind": "want", "when": "0", "from": "18:00", "to": "22:00"},
    "POST /courier/break": {"on": "1"},
    "POST /courier/last-order": {"on": "1"},
    "POST /courier/position": {"lat": "31.23", "lon": "121.47"},
    "POST /courier/stops/{delivery}/deliver": {"code": "0000"},
    "POST /courier/stops/{delivery}/incident": {"kind": "cannot_go_on", "sure": "yes"},
    "POST /console/roster/propose": {"day": "2099-01-01"},
    "POST /console/roster/publish": {"day": "2099-01-01"},
    "POST /console/roster/shifts/{shift}": {"what": "give", "courier": "{courier}"},
    "POST /console/orders/{order}/cancel": {"reason": "other", "typed": "{number_pending}"},
    "POST /console/orders/{order}/lines/{line}/refund": {
        "units": "1",
        "reason": "damaged",
        "typed": "{number_done}",
    },
    "POST /console/tower/orders/{order}/override": {"courier": "nobody", "why": "late", "pin": "1"},
    "POST /console/replays": {"day": "2001-01-01", "policy": "timely", "couriers": "100", "quantile": "0"},
    "POST /console/catalogue/{variant}/{store}": {"price": "9.90", "visible": "1"},
    "POST /console/fleets/new": {
        "provider": "meituan",
        "name": "new",
        "appkey": "a",
        "secret": "b",
        "service_code": "c",
    },
    "POST /console/fleets/{fleet}": {"name": "changed"},
    "POST /console/integrations/keys/new": {"name": "new", "scopes": "console.read", "stores": "{store}"},
    "POST /console/integrations/webhooks/new": {"url": "https://127.0.0.1/x", "events": "order.paid"},
    "POST /console/integrations/webhooks/{hook}": {"url": "https://127.0.0.1/x", "events": "order.paid"},
    "POST /console/permissions/{role}/{permission}": {"most": "1.00"},
    "POST /console/permissions/second-factor": {"asked": "0"},
    "POST /console/people/hire": {"username": "finn", "name": "Finn", "role": "picker", "store": "{store}"},
    "POST /console/people/{employee}": {"role": "support"},
    "POST /console/people/{employee}/active": {"active": "0"},
}

# Queries without which a read is refused before anybody asks who reads; they make a route one of a plot's.
QUERIES: dict[str, str] = {
    "GET /api/v1/cities/{code}/stores": "lat=31.23&lon=121.47",
    "GET /api/v1/products/{product}": "lat=31.23&lon=121.47",
    "GET /api/v1/quotes/{quote}": "",
    "GET /api/v1/store/queue": "store={store}",
    "GET /console/stock": "store={store}",
    "GET /console/audit": "run=1",
    "GET /store/{store}/collect": "code={pickup_code}",
}


class Unknown(LookupError):
    """A parameter that no line says what it stands for."""


def values(plot: Plot) -> dict[str, str]:
    numbers = {name.replace("-", "_"): text for name, text in plot.marks.items() if name.startswith("number-")}
    return plot.values | numbers


def proofs(plot: Plot) -> dict[str, str]:
    """What a customer says on the telephone to prove an order; no query may try it, for it opens what it proves."""
    return {"key_done": plot.secrets["key-done"], "phone": plot.phone}


def target(route: Route, plot: Plot) -> str:
    """The route's address for a plot's things. Raises Unknown for a parameter without a line in PARAMETERS."""
    known: dict[str, str] = {}
    for prefix in sorted((one for one in PARAMETERS if route.path.startswith(one)), key=len):
        known |= PARAMETERS[prefix]
    path, own = route.path, values(plot)
    for name in route.parameters:
        if name not in known:
            raise Unknown(f"{route.name}: say in forms.PARAMETERS what {{{name}}} stands for")
        meant = known[name]
        path = path.replace(f"{{{name}}}", meant[1:] if meant.startswith("=") else own[meant])
    query = filled(QUERIES.get(route.name, ""), own)
    return f"{path}?{query}" if query else path


def body(route: Route, plot: Plot) -> Any:
    """What is sent along; None where nothing is."""
    return filled(BODIES.get(route.name), values(plot) | proofs(plot))


# A category, a role of the caller's own organisation, what a caller agrees to: nobody's things in particular.
OWN_BY_NATURE = ("/c/", "/console/permissions/", "/api/v1/me/")


def concerns(route: Route) -> bool:
    """Whether the route names something of somebody's, so that it is asked for every plot's."""
    if route.admin or route.path.startswith("/accounts/"):
        return False
    if route.parameters and not route.path.startswith(OWN_BY_NATURE):
        return True
    sent = str(BODIES.get(route.name, "")) + QUERIES.get(route.name, "")
    return "{" in sent.replace("{'", "").replace("{}", "")


def filled(template: Any, own: dict[str, str]) -> Any:
    if isinstance(template, dict):
        return {name: filled(value, own) for name, value in template.items()}
    if isinstance(template, list):
        return [filled(value, own) for value in template]
    if isinstance(template, str) and "{" in template:
        return template.format_map(own)
    return template
