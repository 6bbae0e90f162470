"""Every page that a person meets, and the world it is shown in."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.messages.pofile import read_po

from .town import CITY, PASSWORD, Placed, Town

# Wrong passwords for one name, after which it is locked (settings.AXES_FAILURE_LIMIT).
MOST = 10
# Seconds after which a lock, which ends after a quarter of an hour, is made anew.
LOCKED_FOR = 300.0
# A shopper with a password only, and one with a second factor too.
SHOPPER, GUARDED = "shopper", "shopper2"
SEND = "main form .btn.pay, main form .btn:not(.plain, .line)"
ROOT = Path(__file__).resolve().parents[2] / "src" / "highstreet"


@dataclass(frozen=True)
class Place:
    """One page: its name, its path (or its whole address on another server), who looks, and whether it is one of the
    shop's (with bytes to keep).

    `typed` (selector -> text) and `press` are done on the page at `path` to get to the one that is looked at, whose
    path is `leads`. `fresh`: who looks has typed the password once more, as pages that guard an account ask for.
    `answers`: the status of the page itself, when it is not asked for with 200.
    """

    name: str
    path: str
    user: str = ""
    shop: bool = False
    cart: bool = False
    typed: tuple[tuple[str, str], ...] = ()
    press: str = ""
    leads: str = ""
    fresh: bool = False
    answers: int = 200


class World:
    """Things that exist, so that pages have something to show."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.waiting = town.order(kinds=3)
        self.unpaid = town.order(kinds=1, pay=False)
        self.store = self.waiting.store
        self.picker = town.login_of_store(self.store)
        self.manager = town.login_of_store(self.store, "manager")
        self.pickup = town.order(kinds=2, mode="pickup", method="at_pickup", store=self.store)
        self.product = self._public("prd", "SELECT product_id FROM catalog_variant ORDER BY sku LIMIT 1")
        self.variant = self._public("var", "SELECT id FROM catalog_variant ORDER BY sku LIMIT 1")
        self.fulfilment = self._fulfilment(self.waiting)
        self.line = self._public(
            "lin",
            "SELECT l.id FROM fulfilment_fulfilmentline l JOIN fulfilment_fulfilment f "
            "ON f.id = l.fulfilment_id WHERE f.order_number = %s LIMIT 1",
            self.waiting.number,
        )
        self.employee = self._public("emp", "SELECT id FROM staff_employee WHERE role = 'support' LIMIT 1")
        town.guard(GUARDED)
        self.guessed_at = -LOCKED_FOR
        self.keep_locked()
        self._integrations()
        self.riding = self._riding()
        self._fleets()
        self._roster()
        self.group = str(town.one("SELECT group_code FROM catalog_category ORDER BY position LIMIT 1"))

    def keep_locked(self) -> None:
        """A name that is locked for the next minutes. Not guessed at twice in a minute: then nobody of this address
        may sign in."""
        if time.monotonic() - self.guessed_at >= LOCKED_FOR:
            self.town.guess("guessed", MOST)
            self.guessed_at = time.monotonic()

    def _integrations(self) -> None:
        """A key and a webhook of the owner's."""
        with self.town.browser("owner") as send:
            root = "/console/integrations"
            send(f"{root}/keys/new", {"name": "bookkeeping", "scopes": "fulfilment.read"})
            send(f"{root}/webhooks/new", {"url": "https://1.1.1.1/heard", "events": "order.confirmed"})
        self.key = self._public("key", "SELECT id FROM partners_apikey LIMIT 1")
        self.hook = self._public("whk", "SELECT id FROM partners_endpoint LIMIT 1")

    def _riding(self) -> str:
        """An order that the dispatcher has."""
        placed = self.town.order(kinds=1, store=self.store)
        with self.town.browser(self.manager) as send:
            send(f"/store/{self.store}/orders/{self._fulfilment(placed)}/accept", {})
        self.town.eventually(f"SELECT count(*) FROM dispatch_delivery WHERE order_number = '{placed.number}'", 1)  # noqa: S608
        return self._public("ord", "SELECT id FROM orders_order WHERE number = %s", placed.number)

    def _fleets(self) -> None:
        """A hired fleet of the owner's, used in no store: the city's own couriers bring things."""
        with self.town.browser("owner") as send:
            form = {"provider": "meituan", "name": "rain fleet", "appkey": "app", "secret": "none", "service_code": "1"}
            send("/console/fleets/new?provider=meituan", form)
        self.fleet = self._public("flt", "SELECT id FROM fleets_fleet LIMIT 1")

    def _roster(self) -> None:
        """A published day, a draft, pay by rule; a courier has a shift and offers another."""
        self.town.sql(
            "INSERT INTO couriers_earningrule (id, city_id, starts_at, per_order, per_km, guarantee_hour, "
            "bonus_orders, bonus) SELECT gen_random_uuid(), id, now() - interval '1 day', 600, 100, 2200, 25, 3000 "
            "FROM organisations_city WHERE code = %s ON CONFLICT DO NOTHING",
            CITY,
        )
        day = self.town.now().astimezone(ZoneInfo("America/Sao_Paulo")).date()
        self.week = f"/console/roster?week={day + timedelta(days=7)}"
        first = day + timedelta(days=7 - day.weekday())
        with self.town.browser("courier8") as send:
            for kind, times in (("want", ("18:00", "22:00")), ("cannot", ("00:00", "24:00"))):
                send("/courier/wishes", {"kind": kind, "when": "0", "from": times[0], "to": times[1]})
        with self.town.browser("courier9") as send:
            send("/courier/wishes", {"kind": "want", "when": "0", "from": "10:00", "to": "21:00"})
        with self.town.browser("owner") as send:
            for number in (0, 1, 2):
                send("/console/roster/propose", {"day": str(first + timedelta(days=number))})
            for number in (0, 1):
                send("/console/roster/publish", {"day": str(first + timedelta(days=number))})
        open_shifts = (
            "SELECT id FROM couriers_rostershift WHERE status = 'open' ORDER BY starts_at, id LIMIT 1 OFFSET %s"
        )
        self.shift = self._public("shf", open_shifts, 3)
        own = [self._public("shf", open_shifts, place) for place in (0, 14)]
        with self.town.browser("courier8") as send:
            for code in own:
                send(f"/courier/shifts/{code}/take", {})
        with self.town.browser("courier20") as send:
            other = self._public("shf", open_shifts, 1)
            send(f"/courier/shifts/{other}/take", {})
            send(f"/courier/shifts/{other}/offer", {})
        with self.town.browser("courier7") as send:
            send("/courier/break", {"on": "1"})

    def _public(self, prefix: str, query: str, *values: object) -> str:
        from highstreet.kernel import ids

        return ids.public(prefix, self.town.one(query, *values))

    def _fulfilment(self, placed: Placed) -> str:
        return self._public("ful", "SELECT id FROM fulfilment_fulfilment WHERE order_number = %s", placed.number)

    def places(self) -> list[Place]:
        return [*self._shop(), *self._entrance(), *self._refusals(), *self._store(), *self._courier(), *self._console()]

    def _shop(self) -> list[Place]:
        paths = {
            "home": "/",
            "browse": "/browse",
            "category": f"/c/{self.group}",
            "search": "/search?q=milk",
            "nothing found": "/search?q=zzzz",
            "product": f"/p/{self.product}",
            "place": "/place",
            "empty cart": "/cart",
            "pay": f"/o/{self.unpaid.key}/pay",
            "tracking": f"/o/{self.waiting.key}",
            "pickup code": f"/o/{self.pickup.key}",
            "orders": "/orders",
            "me": "/me",
            "your data": "/me/data",
            "erased": "/me/data/erased",
        }
        filled = {"cart": "/cart", "checkout": "/checkout"}
        own = {"me": "/me", "your data": "/me/data", "devices": "/me/devices"}
        return [
            *(Place(name, path, shop=True) for name, path in paths.items()),
            *(Place(name, path, shop=True, cart=True) for name, path in filled.items()),
            *(Place(f"{name}, signed in", path, shop=True, user=SHOPPER) for name, path in own.items()),
        ]

    def _entrance(self) -> list[Place]:
        """Signing in and up, passwords, the second factor."""
        guests = {
            "sign in": "/accounts/login/",
            "sign up": "/accounts/signup/",
            "password forgotten": "/accounts/password/reset/",
            "link sent": "/accounts/password/reset/done/",
            "link too old": "/accounts/password/reset/key/1-none/",
            "new password holds": "/accounts/password/reset/key/done/",
            "account closed": "/accounts/inactive/",
        }
        own = {
            "sign out": "/accounts/logout/",
            "change the password": "/accounts/password/change/",
            "email": "/accounts/email/",
            "password again": "/accounts/reauthenticate/",
            "second factor off": "/accounts/2fa/",
            "second factor, set up": "/accounts/2fa/totp/activate/",
        }
        guarded = {
            "second factor on": "/accounts/2fa/",
            "second factor, switch off": "/accounts/2fa/totp/deactivate/",
            "recovery codes": "/accounts/2fa/recovery-codes/",
            "recovery codes, new": "/accounts/2fa/recovery-codes/generate/",
            "code again": "/accounts/2fa/reauthenticate/",
        }
        name, secret = ("#id_login", GUARDED), ("#id_password", PASSWORD)
        wrong = ("#id_password", "wrong")
        to_codes = "/accounts/2fa/recovery-codes/"
        return [
            *(Place(called, path) for called, path in guests.items()),
            Place("wrong password", "/accounts/login/", typed=(("#id_login", "nobody"), wrong), press=SEND),
            Place("code", "/accounts/login/", typed=(name, secret), press=SEND, leads="/accounts/2fa/authenticate/"),
            *(Place(called, path, user=SHOPPER, fresh=True) for called, path in own.items()),
            *(Place(called, path, user=GUARDED, fresh=True) for called, path in guarded.items()),
            Place("codes, once", f"{to_codes}generate/", user=GUARDED, fresh=True, press=SEND, leads=to_codes),
            Place("codes, kept", to_codes, user=GUARDED, fresh=True),
        ]

    def _refusals(self) -> list[Place]:
        """What stands in the way, in words."""
        tried = (("#id_login", "guessed"), ("#id_password", "guess"))
        token = (("form.stack [name=csrfmiddlewaretoken]", "not this page's"),)
        return [
            Place("not found", "/p/prd_nothing", shop=True, answers=404),
            Place("API reference", "/api/v1/docs"),
            Place("no such address", "/nothing/here", answers=404),
            Place("not allowed", "/console/", user="courier8", answers=403),
            Place("too many tries", "/accounts/login/", typed=tried, press=SEND, answers=429),
            Place("form too old", "/accounts/login/", typed=token, press=SEND, answers=403),
            Place("back in a moment", f"{self.town.away}/", shop=True, answers=503),
        ]

    def _store(self) -> list[Place]:
        root, order = f"/store/{self.store}", f"/store/{self.store}/orders/{self.fulfilment}"
        paths = {
            "queue": f"{root}/",
            "pick list": order,
            "not there": f"{order}/lines/{self.line}",
            "reject": f"{order}/reject",
            "print": f"{order}/print",
            "pickup counter": f"{root}/collect",
            "cash from couriers": f"{root}/cash",
            "stock": f"{root}/stock",
            "stock of one": f"{root}/stock/{self.variant}",
            "figures": f"{root}/figures",
            "pause": f"{root}/pause",
        }
        return [Place(f"store {name}", path, user=self.manager) for name, path in paths.items()]

    def _courier(self) -> list[Place]:
        return [
            Place("courier on shift", "/courier/", user="courier8"),
            Place("courier off shift", "/courier/", user="courier20"),
            Place("courier on a break", "/courier/", user="courier7"),
            Place("courier shifts", "/courier/shifts", user="courier8"),
            Place("courier times", "/courier/wishes", user="courier8"),
            Place("courier earnings", "/courier/earnings", user="courier8"),
        ]

    def _console(self) -> list[Place]:
        order = self._public("ord", "SELECT id FROM orders_order WHERE number = %s", self.waiting.number)
        paths = {
            "overview": "/console/",
            "orders": "/console/orders",
            "order": f"/console/orders/{order}",
            "cancel": f"/console/orders/{order}/cancel",
            "catalogue": "/console/catalogue",
            "product": f"/console/catalogue/{self.variant}",
            "stock": "/console/stock",
            "why this stock": f"/console/stock/{self.store}/{self.variant}",
            "promises": "/console/promises",
            "tower": "/console/tower",
            "why this courier": f"/console/tower/orders/{self.riding}",
            "peaks": "/console/peaks",
            "peaks, nothing": "/console/peaks?day=2001-01-01",
            "replays": "/console/replays",
            "roster": "/console/roster",
            "roster, published": self.week,
            "shift": f"/console/roster/shifts/{self.shift}",
            "ledger": "/console/ledger",
            "journals": "/console/ledger/journals",
            "audit": "/console/audit?run=1",
            "alerts": "/console/alerts",
            "people": "/console/people",
            "hire": "/console/people/hire",
            "member": f"/console/people/{self.employee}",
            "permissions": "/console/permissions",
            "limit": "/console/permissions/support/orders.refund",
            "trail": "/console/trail",
            "trail, nothing found": "/console/trail?day=2001-01-01",
            "fleets": "/console/fleets",
            "fleet": f"/console/fleets/{self.fleet}",
            "new fleet": "/console/fleets/new",
            "new fleet, its secrets": "/console/fleets/new?provider=wechat",
            "integrations": "/console/integrations",
            "new key": "/console/integrations/keys/new",
            "new webhook": "/console/integrations/webhooks/new",
            "webhook": f"/console/integrations/webhooks/{self.hook}",
            "revoke": f"/console/integrations/keys/{self.key}/revoke",
        }
        places = [Place(f"console {name}", path, user="owner") for name, path in paths.items()]
        named = (("#name", "bookkeeping"), ("[name=scopes]", ""))
        sent = {
            "hire, refused": ("/console/people/hire", (), 422),
            "new fleet, refused": ("/console/fleets/new?provider=meituan", (), 422),
            "new key, refused": ("/console/integrations/keys/new", (), 422),
            "new webhook, refused": ("/console/integrations/webhooks/new", (), 422),
            "key, told once": ("/console/integrations/keys/new", named, 200),
        }
        return places + [
            Place(f"console {name}", path, user="owner", typed=typed, press=SEND, answers=status)
            for name, (path, typed, status) in sent.items()
        ]


def english_messages() -> set[str]:
    """Messages of more than one letter whose translation is not the message itself."""
    found = set()
    for path in ROOT.rglob("zh_Hans/LC_MESSAGES/django.po"):
        with path.open("rb") as file:
            for message in read_po(file, locale="zh_Hans"):
                ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
                found |= {text for text in ids if text and message.string != text and len(text) > 2}
    return found - {"Highstreet", "English"}
