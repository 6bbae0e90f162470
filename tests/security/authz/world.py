"""Two retailers in two cities, a franchisee in the first, and of everything one for each owner, with marks in it.

Four plots: `a1` and `a2` are stores of retailer A, `f` is a franchisee's store in A's city, `b` is retailer B's store
in another city. Each has a customer, orders in several states, a courier, an employee and what partners keep. Every
text that belongs to a plot carries a canary, so that it is known wherever it turns up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password

from highstreet.delivery.couriers.models import Courier, RosterShift, Shift, Wish
from highstreet.delivery.dispatch.models import Delivery
from highstreet.kernel import clock, ids
from highstreet.kernel.ledger import AccountRef
from highstreet.kernel.models import Journal
from highstreet.kernel.policy import NOBODY, THE_SYSTEM
from highstreet.people.accounts.models import User
from highstreet.people.customers.models import Address, Customer
from highstreet.people.staff.models import Employee
from highstreet.supply.catalog.models import Listing
from highstreet.supply.inventory import actions as inventory
from highstreet.supply.inventory.models import StockLocation
from highstreet.supply.organisations.models import Organisation
from highstreet.supply.organisations.reads import forget
from highstreet.supply.stores.models import Store
from highstreet.trade.cart import actions as carts
from highstreet.trade.fulfilment.models import Fulfilment, FulfilmentLine, PickupCode
from highstreet.trade.orders import actions as orders
from highstreet.trade.orders.models import Order, OrderLine
from highstreet.trade.payments.models import Alert, PaymentIntent
from highstreet.web.console.tests.support import Scene, a_scene, an_order, change

from .outsiders import fleets, partners
from .plots import PLOTS, Plot

PASSWORD = "the-password-of-everybody"
TOTP_SECRET = "KANARITOTPKANARITOTPKANARITOTPKA"
# The customer, the courier and the people at the counter of each plot.
CUSTOMERS = {"a1": "anna", "a2": "ben", "f": "finn", "b": "bea"}
RIDERS = {"a1": "rider_a1", "a2": "rider_a2", "f": "rider_f", "b": "rider_b"}


@dataclass
class World:
    plots: dict[str, Plot]
    users: dict[str, User]

    def plot(self, name: str) -> Plot:
        return self.plots[name]


def build() -> World:
    """The world, in the caller's transaction."""
    scenes = {"a": a_scene("a"), "b": a_scene("b", stores=1)}
    franchisee = Organisation.objects.create(code="other", kind="franchisee", name_zh="加盟", name_en="Franchise")
    franchised = _franchised(scenes["a"], franchisee)
    retailer_a, retailer_b = scenes["a"].city.retailer, scenes["b"].city.retailer
    plots = {
        "a1": Plot("a1", scenes["a"], scenes["a"].stores[0], retailer_a),
        "a2": Plot("a2", scenes["a"], scenes["a"].stores[1], retailer_a),
        "f": Plot("f", scenes["a"], franchised, franchisee),
        "b": Plot("b", scenes["b"], scenes["b"].stores[0], retailer_b),
    }
    scenes["a"].stores.append(franchised)
    world = World(plots, {})
    forget()
    for plot in plots.values():
        _people(world, plot)
    for plot in plots.values():
        _orders(world, plot)
        _cart(plot)
        partners(plot)
        fleets(plot)
        _books(plot)
    _staff(world)
    return world


def _franchised(scene: Scene, franchisee: Organisation) -> Store:
    store = Store.objects.create(
        code="franchised",
        kind="corner_shop",
        organisation=franchisee,
        city=scene.city,
        name_zh="加盟店",
        name_en="Corner Shop",
        address="3 Road",
        lat=31.25,
        lon=121.47,
        opens_minute=0,
        closes_minute=1440,
        delivery_radius_m=5000,
    )
    StockLocation.objects.create(store=store, name="shelves")
    for variant in scene.variants:
        Listing.objects.create(store=store, variant=variant, price=990)
        inventory.receive(actor=THE_SYSTEM, store_id=store.pk, variant_id=variant.pk, quantity=47, reason="demo")
    return store


def _user(world: World, name: str) -> User:
    world.users[name] = User.objects.create(username=name, password=make_password(PASSWORD, hasher="md5"))
    return world.users[name]


def _people(world: World, plot: Plot) -> None:
    user = _user(world, CUSTOMERS[plot.name])
    customer = Customer.objects.create(user=user, phone=plot.phone, name=plot.mark("customer"), created_at=clock.now())
    Address.objects.create(
        customer=customer, text=plot.mark("home"), unit=plot.mark("flat"), lat=31.231, lon=121.471, used_at=clock.now()
    )
    rider = Courier.objects.create(
        user=_user(world, RIDERS[plot.name]),
        city=plot.scene.city,
        name=plot.mark("rider"),
        phone="13900000001",
        lat=31.232,
        lon=121.472,
        seen_at=clock.now(),
    )
    Shift.objects.create(courier=rider, starts_at=clock.now() - timedelta(hours=1))
    plot.values["courier"] = ids.public("cou", rider.pk)
    starts = clock.now() + timedelta(days=3)
    planned = RosterShift.objects.create(
        city=plot.scene.city, courier=rider, status="taken", starts_at=starts, ends_at=starts + timedelta(hours=4)
    )
    plot.values["roster_shift"] = ids.public("shf", planned.pk)
    wish = Wish.objects.create(courier=rider, kind="avoid", weekday=6, from_minute=0, to_minute=60)
    plot.values["wish"] = ids.public("wsh", wish.pk)


STATES = {"pending": "delivery", "picking": "delivery", "riding": "delivery", "pickup": "pickup", "done": "delivery"}


def _orders(world: World, plot: Plot) -> None:
    """An order of the plot's customer in each state, and a payment that waits."""
    at = plot.scene.stores.index(plot.store)
    customer = Customer.objects.get(user=world.users[CUSTOMERS[plot.name]])
    for state, mode in STATES.items():
        status = {"riding": "ready", "pickup": "ready", "done": "delivered"}.get(state, state)
        number = f"KN{plot.name.upper():Z>2}{list(STATES).index(state)}W"
        made = an_order(
            plot.scene,
            status=status,
            mode=mode,
            store=at,
            number=number,
            phone=plot.phone,
            late_minutes=5 if state == "done" else None,
            minutes_ago=5,
        )
        Order.objects.filter(pk=made.pk).update(
            customer=customer, address=plot.mark(f"address-{state}"), note=plot.mark(f"note-{state}")
        )
        Fulfilment.objects.filter(order_id=made.pk).update(
            address=plot.mark(f"address-{state}"), note=plot.mark(f"note-{state}"), handover_code=_code(plot)
        )
        plot.marks[f"number-{state}"] = number
        plot.secrets[f"key-{state}"] = made.key
        _named(plot, state, made)
    riding = Delivery.objects.get(order_number=plot.marks["number-riding"])
    Delivery.objects.filter(pk=riding.pk).update(
        courier=Courier.objects.get(user=world.users[RIDERS[plot.name]]),
        status="accepted",
        assigned_at=clock.now(),
        accepted_at=clock.now(),
        ready_at=clock.now(),
    )
    change("delivery", riding.pk, "waiting", "accepted", clock.now())
    plot.values["delivery"] = ids.public("dlv", riding.pk)
    plot.values["pickup_code"] = PickupCode.objects.get(fulfilment__order_number=plot.marks["number-pickup"]).code
    plot.secrets["pickup_code"] = plot.values["pickup_code"]
    unpaid = Order.objects.get(number=plot.marks["number-pending"])
    PaymentIntent.objects.filter(payable=unpaid.pk).update(openid=f"kanari-openid-{plot.name}")
    _asked(plot)


def _code(plot: Plot) -> str:
    """The hand-over code: four digits are found by chance, so the canary is longer than real ones."""
    plot.secrets["handover_code"] = f"739{PLOTS.index(plot.name)}51"
    return plot.secrets["handover_code"]


def _named(plot: Plot, state: str, made: Order) -> None:
    going = Fulfilment.objects.get(order_id=made.pk)
    first = OrderLine.objects.filter(order=made).order_by("position")[0]
    line = FulfilmentLine.objects.get(order_line_id=first.pk)
    plot.values |= {
        f"order_{state}": ids.public("ord", made.pk),
        f"fulfilment_{state}": ids.public("ful", going.pk),
        f"order_line_{state}": ids.public("oli", first.pk),
        f"line_{state}": ids.public("lin", line.pk),
    }


def _asked(plot: Plot) -> None:
    """The picking order asks its customer about another item for its second line."""
    picking = Fulfilment.objects.get(order_number=plot.marks["number-picking"])
    asked = FulfilmentLine.objects.filter(fulfilment=picking).order_by("pk")[1]
    FulfilmentLine.objects.filter(pk=asked.pk).update(
        short=1,
        substitute=plot.scene.variants[2],
        substitute_quantity=1,
        substitute_state="asked",
        asked_at=clock.now(),
    )
    plot.values["line_asked"] = ids.public("lin", asked.pk)


def _cart(plot: Plot) -> None:
    """A guest's cart with a quote: whoever has its key has it."""
    variant = plot.scene.variants[0]
    key = carts.open(actor=NOBODY, city_id=plot.scene.city.pk).key
    carts.set_quantity(actor=NOBODY, cart_key=key, variant_id=variant.pk, quantity=1)
    quote = orders.quote(
        actor=NOBODY,
        cart_key=key,
        mode="pickup",
        lat=plot.store.lat,
        lon=plot.store.lon,
        address="",
        store_id=plot.store.pk,
    )
    plot.values |= {
        "cart": key,
        "quote": ids.public("quo", quote.id),
        "variant": ids.public("var", variant.pk),
        "other_variant": ids.public("var", plot.scene.variants[2].pk),
        "barcode": variant.barcode,
        "product": ids.public("prd", variant.product_id),
        "store": ids.public("str", plot.store.pk),
        "store_code": plot.store.code,
        "city": plot.scene.city.code,
    }


def _books(plot: Plot) -> None:
    """The ledger's names, and an alert about a payment of the plot's."""
    done = Order.objects.get(number=plot.marks["number-done"])
    journal = Journal.objects.filter(cause=done.pk).order_by("pk")[0]
    intent = PaymentIntent.objects.get(payable=done.pk)
    PaymentIntent.objects.filter(pk=intent.pk).update(out_trade_no=plot.mark("trade"))
    alert = Alert.objects.create(
        kind="payment_amount",
        organisation_id=intent.organisation_id,
        subject=plot.mark("trade"),
        facts={"out_trade_no": plot.mark("trade")},
        at=clock.now(),
    )
    plot.values |= {
        "journal": ids.public("jou", journal.pk),
        "account": ids.public("acc", AccountRef(done.organisation_id, "goods_revenue", "CNY").id),
        "alert": ids.public("alt", alert.pk),
    }


ROLES = {
    "picker": ("picker", True),
    "manager": ("store_manager", True),
    "support": ("support", False),
    "ally": ("city_manager", False),
    "owner": ("owner", False),
}


def _staff(world: World) -> None:
    """Five roles for each retailer, an owner of the franchisee, and one more picker a plot who is looked at."""
    for name, plot in world.plots.items():
        hired = Employee.objects.create(
            user=_user(world, f"hand_{name}"),
            organisation=plot.organisation,
            store=plot.store,
            role="picker",
            name=plot.mark("hand"),
        )
        plot.values["employee"] = ids.public("emp", hired.pk)
    for plot, letter in ((world.plots["a1"], "a"), (world.plots["b"], "b")):
        for title, (role, at_store) in ROLES.items():
            Employee.objects.create(
                user=_user(world, f"{title}_{letter}"),
                organisation=plot.organisation,
                store=plot.store if at_store else None,
                role=role,
                name=f"{title} of {letter}",
            )
    for title in ("owner", "manager"):
        Employee.objects.create(
            user=_user(world, f"{title}_f"),
            organisation=world.plots["f"].organisation,
            store=None if title == "owner" else world.plots["f"].store,
            role=ROLES[title][0],
            name=f"{title} of f",
        )
    root = _user(world, "root")
    root.is_staff = root.is_superuser = True
    root.save()
    Authenticator.objects.create(
        user=world.users["owner_a"], type=Authenticator.Type.RECOVERY_CODES, data={"seed": TOTP_SECRET, "used_mask": 0}
    )
    Authenticator.objects.create(user=world.users["anna"], type=Authenticator.Type.TOTP, data={"secret": TOTP_SECRET})
