"""W1: texts of customers, shops, suppliers and partners are shown as texts, in every page of a running town.

Of the long run, as it opens every page.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from django.contrib import admin
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, sync_playwright

from highstreet.kernel import ids
from tests.conftest import Add
from tests.journeys.chrome import Chrome, Watch, launch
from tests.journeys.places import Place, World
from tests.journeys.town import PASSWORD, Town
from tests.support.stack import _answers, _free_port

from .planting import BELIEVED, MARKER, SHOWN, TRIED, columns, met, plant

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
# These stand for the admin's lists where its own scripts are looked at.
FEW = {"orders/order", "customers/customer", "catalog/product", "stores/store", "partners/endpoint", "accounts/user"}
SETTLE_MS = 60
ROUNDS = 6


class Infested(Town):
    """A town with something in every table whose texts are shown; `unescaped` is a second web server, the control."""

    unescaped = ""
    control: list[str]

    def open_unescaped(self) -> str:
        port = _free_port()
        command = ["-m", "tests.support.unescaped", "--port", str(port), "--workers", "1", "--threads", "4"]
        self.control = [self._command("web")[0], *command]
        self.unescaped = f"http://127.0.0.1:{port}"
        self.launch("unescaped")
        deadline = time.monotonic() + 60
        while not _answers(f"{self.unescaped}/readyz"):
            assert time.monotonic() < deadline, self.log("unescaped")
            time.sleep(0.1)
        return self.unescaped

    def _command(self, name: str) -> list[str]:
        return self.control if name == "unescaped" else super()._command(name)

    def furnish(self, world: World) -> None:
        """What no test order brings about: a review, an alert, a partner's key and webhook, an admin."""
        order = ids.private("ord", world.waiting.id)
        self.sql(
            "INSERT INTO reviews_review (id, order_id, store_id, customer_id, stars, text, at) "
            "SELECT gen_random_uuid(), id, store_id, customer_id, 4, '', placed_at FROM orders_order WHERE id = %s",
            order,
        )
        self.sql(
            "INSERT INTO payments_alert (id, kind, subject, facts, at) VALUES (gen_random_uuid(), 'amount', 'x', "
            """'{"note": "<svg onload=h()>", "<i id=hx>": "\\"><script>h()</script>"}', %s)""",
            self.now(),
        )
        self.sql("UPDATE accounts_user SET is_staff = true, is_superuser = true WHERE username = 'owner'")
        base = f"{self.url}/api/v1"
        token = httpx.post(f"{base}/sessions", json={"username": "owner", "password": PASSWORD}).json()["token"]
        for path, body in (
            ("keys", {"name": "x", "scopes": ["stock.read"]}),
            ("webhooks", {"url": "https://93.184.216.34/hook", "events": ["order.paid"]}),
        ):
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": ids.random_token(20)}
            answer = httpx.post(f"{base}/partners/{path}", json=body, headers=headers)
            assert answer.status_code == 201, answer.text


@dataclass
class Findings:
    """What a look at all pages found; `shown` counts pages that had a planted text in them."""

    pages: int = 0
    shown: int = 0
    ran: list[str] = field(default_factory=list)
    built: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def look(self, page: Page, url: str) -> None:
        """Open one page; its dialogs, marker calls and elements made of planted texts are findings."""
        self.pages += 1
        answer = page.goto(url, wait_until="load")
        if answer is None or answer.status >= 500:
            self.broken.append(f"{url}: {answer.status if answer else 'no answer'}")
        page.wait_for_timeout(SETTLE_MS)
        self.shown += bool(page.evaluate(SHOWN))
        self.built += [f"{url}: {text}" for text in page.evaluate(BELIEVED)]
        self.ran += [f"{url}: {text}" for text in page.evaluate("() => window.ran ?? []")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def infested() -> Iterator[tuple[Infested, World]]:
    with Infested() as town:
        world = World(town)
        town.furnish(world)
        yield town, world


@pytest.fixture(scope="module")
def chrome(infested: tuple[Infested, World], browser: Browser) -> Iterator[Chrome]:
    """Everybody signs in before the texts are planted."""
    town, world = infested
    chrome = Chrome(browser, town)
    for user in sorted({place.user for place in everything(world, whole=False)} - {""}):
        chrome.page(user=user)
    yield chrome
    chrome.close_pages()


def everything(world: World, *, whole: bool) -> list[Place]:
    """Every page that a person meets, and the admin's."""
    lists = [f"{one._meta.app_label}/{one._meta.model_name}" for one in admin.site._registry]
    # A page without the database has nobody's text.
    ours = (place for place in world.places() if place.answers != 503)
    found = [*ours, *(Place(f"console {path}", f"/console/{path}", user="owner") for path in OWN)]
    return [
        *found,
        Place("admin", "/admin/", user="owner"),
        *(Place(f"admin {one}", f"/admin/{one}/", user="owner") for one in lists if whole or one in FEW),
    ]


OWN = ("integrations", "integrations/keys/new", "integrations/webhooks/new")


def rows_of(world: World, *, whole: bool) -> list[Place]:
    """One row of each of the admin's tables, opened."""
    found = []
    for model in admin.site._registry:
        name = f"{model._meta.app_label}/{model._meta.model_name}"
        if not (model.__module__.startswith("highstreet.") and (whole or name in FEW)):
            continue
        column, rows = model._meta.pk.column, model._meta.db_table
        for (key,) in world.town.sql(f'SELECT "{column}" FROM "{rows}" ORDER BY 1 LIMIT 1'):  # noqa: S608
            found.append(Place(f"admin {name} row", f"/admin/{name}/{key}/change/", user="owner"))
    return found


def tour(chrome: Chrome, places: list[Place], url: str, *, policy: bool) -> Findings:
    """Look at all places as who sees them. Without `policy` the browser keeps no CSP: escaping alone must hold."""
    found, contexts = Findings(), dict[str, tuple[BrowserContext, Page]]()
    for place in places:
        if place.user not in contexts:
            contexts[place.user] = open_context(chrome, place.user, found, policy=policy)
        found.look(contexts[place.user][1], f"{url}{place.path}")
    for context, _ in contexts.values():
        context.close()
    return found


def open_context(chrome: Chrome, user: str, found: Findings, *, policy: bool) -> tuple[BrowserContext, Page]:
    context = chrome.browser.new_context(
        storage_state=chrome.signed_in.get(user), bypass_csp=not policy, locale="en-GB", service_workers="block"
    )
    context.set_default_timeout(20_000)
    context.add_init_script(MARKER)
    page = context.new_page()

    def dismiss(dialog: Dialog) -> None:
        found.ran.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", dismiss)
    watch = Watch({chrome.town.url, chrome.town.streams, chrome.town.wallet})
    watch.follow(context)
    found.refused = watch.errors
    return context, page


@pytest.mark.long
def test_the_admin_works_under_its_policy(chrome: Chrome, infested: tuple[Infested, World], row: Add) -> None:
    """Before anything is planted: no violation on its lists, rows and forms, and Unfold's scripts and colours work."""
    town, world = infested
    found = Findings()
    context, page = open_context(chrome, "owner", found, policy=True)
    places = [place for place in everything(world, whole=False) if place.path.startswith("/admin/")]
    places += [*rows_of(world, whole=False), Place("admin new user", "/admin/accounts/user/add/", user="owner")]
    for place in places:
        found.look(page, f"{town.url}{place.path}")
        assert page.evaluate("() => !!window.Alpine && !document.querySelector('[x-cloak]')"), place.path
        colour = "() => getComputedStyle(document.documentElement).getPropertyValue('--color-primary-600')"
        assert "oklch" in page.evaluate(colour) or "," in page.evaluate(colour), place.path
    context.close()
    assert found.refused == found.broken == [], "\n".join([*found.refused, *found.broken][:20])
    row("W1", "the admin's pages under their policy", n=len(places), accepted=len(places), notes="0 CSP violations")


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_no_text_is_believed(chrome: Chrome, infested: tuple[Infested, World], row: Add) -> None:
    """Each round begins with other payloads; the row says how many pairs of a column and a payload were looked at."""
    town, world = infested
    places = everything(world, whole=True) + rows_of(world, whole=True)
    pages = shown = 0
    pairs: set[tuple[str, str]] = set()
    for start in range(0, TRIED, TRIED // ROUNDS):
        planted, kept = plant(town, start)
        pairs |= met(town, planted)
        found = tour(chrome, places, town.url, policy=False)
        pages, shown = pages + found.pages, shown + found.shown
        assert found.ran == found.built == [], "\n".join([*found.ran, *found.built][:20])
        assert found.broken == [], "\n".join(found.broken)
        assert found.shown > 0.5 * found.pages, f"{found.shown} of {found.pages} pages show a planted text"
    note = (
        f"{len(planted)} columns planted, {len(kept)} too narrow or kept by a constraint; {len(pairs)} pairs of a "
        f"column and one of {TRIED} payloads; shown on {shown} pages"
    )
    row("W1", "hostile texts in every text column, CSP off", n=pages, accepted=0, notes=note)


@pytest.mark.long
def test_unescaped_they_run_and_the_policy_stops_them(
    chrome: Chrome, infested: tuple[Infested, World], row: Add
) -> None:
    """The control: escaping off, they run; and with the policy on, they still cannot, though they are in the page."""
    town, world = infested
    plant(town, 0)
    url = town.unescaped or town.open_unescaped()
    names = {"home", "browse", "tracking", "store queue", "console people", "console orders"}
    places = [place for place in world.places() if place.name in names]
    bare = tour(chrome, places, url, policy=False)
    assert bare.ran and bare.built
    held = tour(chrome, places, url, policy=True)
    assert held.built and held.ran == [] and any("Content Security Policy" in text for text in held.refused)
    note = f"without CSP {len(bare.ran)} calls, with it {len(held.ran)}"
    row("W1", "control: the same with autoescape off", n=len(places), accepted=len(bare.ran), notes=note)


def test_every_text_column_is_known() -> None:
    """New ones are planted of themselves; this holds the list of the others to columns that exist."""
    from django.apps import apps

    from .planting import MACHINE

    known = {field.column for model in apps.get_models() for field in model._meta.local_concrete_fields}
    assert known >= MACHINE, MACHINE - known
    assert len(list(columns())) > 40
