"""What goes wrong in `bench/day.py --faults` besides what its people do of themselves (`twin.demand.FAULTS`).

The dispatcher is killed; two stores' deliveries are brought by hired fleets whose callbacks come twice, in any order,
in part or never, and whose couriers cancel, vanish or do not come back; payments are told three times, late, or not at
all; couriers are switched off in mid-shift. What of it happened is counted where it is seen: in the sandboxes' logs and
in the platform's own history.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import httpx

from highstreet.twin.demo import Demo
from highstreet.twin.files import PASSWORD

ADMIN = "platform"
# By dialect: the store whose deliveries it brings, and how many couriers it counts for.
HIRED = {"wechat": ("ipiranga", 10), "meituan": ("nonoai", 10)}
# What a fleet's next rides meet, each in its turn, in another order each time round.
RIDES: tuple[dict[str, Any], ...] = (
    {},
    {"repeat": 2},
    {"shuffle": True},
    {"shuffle": True, "repeat": 2},
    {"skip": True},
    {"silent": True},
    {"lose": 3},
    {"lost_answer": True},
    {"refuse": True},
    {"cancel_at": "waiting"},
    {"cancel_at": "at_store"},
    {"cancel_at": "picked_up"},
    {"nobody_home": True},
    {"nobody_home": True, "stuck_at": "failed"},
    {"stuck_at": "waiting"},
    {"stuck_at": "picked_up", "silent": True},
    {"forget": True, "silent": True},
)
# What the payment provider does meanwhile. Times are the wall's, as its switches are.
NOTICES: tuple[dict[str, Any], ...] = (
    {"duplicate_notifications": 2},
    {"duplicate_notifications": 2, "delay_notifications": 4.0},
    {"duplicate_notifications": 0, "drop_notifications": True},
)
SWITCHED_OFF = 3
LOOK_WALL, REFUSED_WALL = 0.5, 8.0


class Faults:
    """`with Faults(demo, ...) as faults:` once the platform runs; they end with it. `counts` says what happened."""

    def __init__(self, demo: Demo, folder: Path, *, seed: int, wall_seconds: float, kills: int) -> None:
        self.demo, self.folder, self.seed, self.kills = demo, folder, seed, kills
        self.every = wall_seconds
        self.shop = f"http://127.0.0.1:{demo.ports.web}"
        self.wallet = f"http://127.0.0.1:{demo.ports.wallet}"
        self.killed = 0
        self.off: list[UUID] = []
        self.errors: list[str] = []
        self._stop = threading.Event()

    def __enter__(self) -> Faults:
        from highstreet.kernel.policy import THE_SYSTEM
        from highstreet.people.accounts.actions import create_user

        self.sandbox = self._hire()
        create_user(actor=THE_SYSTEM, username=ADMIN, password=PASSWORD, superuser=True)
        works = (self._kill, self._turn, self._switch_off)
        self._threads = [threading.Thread(target=self._run, args=[work], name=work.__name__) for work in works]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.rest()
        self.sandbox.stop()

    def rest(self) -> None:
        """Nothing more goes wrong; what went wrong stays so."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, work: Callable[[], None]) -> None:
        """A fault that cannot be made is told in the end: the day is not what it was to be."""
        from django.db import connection

        try:
            work()
        except Exception as error:
            self.errors.append(f"{work.__name__}: {type(error).__name__}: {str(error)[:200]}")
        finally:
            connection.close()

    def _kill(self) -> None:
        """kill -9 the dispatcher again and again over the day, at odd moments; it is started anew at once."""
        source = Random(self.seed)
        while self.killed < self.kills and not self._stop.wait(self.every / self.kills * source.uniform(0.5, 1.4)):
            victim = self.demo.processes["dispatch"]
            os.killpg(victim.pid, signal.SIGKILL)
            victim.wait()
            self.killed += 1
            self.demo.spawn_dispatcher()

    def _hire(self) -> Any:
        """Both fleets, as the owner makes their accounts, at a sandbox of their own."""
        from highstreet.delivery.fleets import actions
        from highstreet.delivery.fleets.sandbox.tests.running import Running
        from highstreet.delivery.fleets.tests.support import MEITUAN_SECRETS, WECHAT_SECRETS
        from highstreet.kernel import ids
        from highstreet.people.accounts.models import User
        from highstreet.people.accounts.reads import actor_of_user
        from highstreet.supply.stores.models import Store

        owner, port, accounts = actor_of_user(User.objects.get(username="owner").pk), self.demo.ports.wallet + 1, {}
        for dialect, secrets in (("wechat", WECHAT_SECRETS), ("meituan", MEITUAN_SECRETS)):
            root = f"http://127.0.0.1:{port}" + ("/api" if dialect == "meituan" else "")
            fleet = actions.add_fleet(actor=owner, provider=dialect, name=dialect, secrets=secrets, base_url=root)
            code, couriers = HIRED[dialect]
            store = Store.objects.get(code=code)
            actions.use_fleet(actor=owner, fleet_id=fleet, couriers=couriers, store_id=store.pk, shop_no="no-1")
            address = f"{self.shop}/api/v1/fleets/{ids.public('flt', fleet)}/notify"
            accounts[dialect] = {**secrets, "notify_url": address}
        return Running(port, self.folder, accounts, self.seed)

    def _turn(self) -> None:
        """The next fault as soon as a ride has met this one; what a fleet refuses is no ride, so that lasts a while."""
        source, rides = Random(self.seed), 0
        while True:
            for number, switches in enumerate(source.sample(RIDES, len(RIDES))):
                self.sandbox.faults(**switches)
                notices = {"reset": True, **NOTICES[number % len(NOTICES)]}
                httpx.post(f"{self.wallet}/sandbox/faults", json=notices, trust_env=False).raise_for_status()
                until = time.monotonic() + (REFUSED_WALL if "refuse" in switches else float("inf"))
                while (met := len(self.sandbox.seen()["rides"])) == rides and time.monotonic() < until:
                    if self._stop.wait(LOOK_WALL):
                        return
                rides = met

    def _switch_off(self) -> None:
        """Couriers with work in hand may work no longer: by turns with the bag, and on the way to it."""
        from highstreet.delivery.couriers.models import Courier, Shift
        from highstreet.delivery.dispatch.models import Delivery
        from highstreet.delivery.dispatch.states import BEFORE_PICK_UP, CARRIED

        source = Random(f"{self.seed}:couriers")
        for number in range(SWITCHED_OFF):
            if self._stop.wait(self.every / SWITCHED_OFF * source.uniform(0.5, 0.9)):
                return
            at_work = Delivery.objects.filter(
                status__in=BEFORE_PICK_UP if number % 2 else CARRIED, courier__active=True
            )
            while not (found := sorted(set(at_work.values_list("courier_id", flat=True)))):
                if self._stop.wait(LOOK_WALL):
                    return
            courier = Courier.objects.select_related("user").get(pk=source.choice(found))
            _not_active(self.shop, courier)
            if Shift.objects.filter(courier=courier, courier__active=False, ends_at=None).exists():
                self.off.append(courier.pk)

    def counts(self, people: Mapping[str, int]) -> dict[str, int]:
        """How often each fault happened. `people`: what the simulated people counted."""
        return {
            "the dispatcher killed": self.killed,
            "couriers vanished with the bag": people.get("vanished", 0),
            "couriers left before the pick-up": people.get("left", 0),
            "couriers who tell no place": people.get("tells no place", 0),
            # Each of them also heard of it.
            "couriers switched off in mid-shift": min(len(self.off), people.get("switched off", 0)),
            "orders turned away by a shut shop": people.get("shut", 0),
            **_in_history(),
            **rides(self.sandbox.seen()),
            **notices(self.wallet),
        }


def _not_active(shop: str, courier: Any) -> None:
    """Switch a courier off as the platform's administrator does: by the form of the records."""
    from django.urls import reverse

    with httpx.Client(base_url=shop, timeout=60.0, trust_env=False) as http:
        http.get("/accounts/login/")

        def send(path: str, form: dict[str, str]) -> None:
            answer = http.post(path, data={**form, "csrfmiddlewaretoken": http.cookies.get("csrftoken", "")})
            if answer.status_code != 302:
                raise RuntimeError(f"{path} answered {answer.status_code}")

        send("/accounts/login/", {"login": ADMIN, "password": PASSWORD})
        fields = ("name", "phone", "vehicle", "capacity")
        form = {"id": str(courier.pk), "user": str(courier.user_id), "city": str(courier.city_id)}
        form |= {field: str(getattr(courier, field)) for field in fields}
        send(reverse("admin:couriers_courier_change", args=[courier.pk]), form)


def _in_history() -> dict[str, int]:
    """What the platform itself gave up, by what it wrote down of it."""
    from highstreet.delivery.dispatch import rules
    from highstreet.delivery.fleets.models import FleetOrder
    from highstreet.kernel.models import StateChange

    steps = StateChange.objects.filter
    lost = steps(machine="delivery", event="give_back", note=rules.LOST)
    vanished = steps(machine="delivery", event="fail", note=rules.LOST).values("subject")
    fleets = FleetOrder.objects
    hired = fleets.values("delivery_id")
    return {
        "orders that a silent shop never answered": steps(machine="fulfilment", note="no_answer").count(),
        "orders accepted and never packed": steps(machine="fulfilment", event="cancel", note="not_packed").count(),
        "goods never brought back: by our own": lost.exclude(subject__in=vanished).exclude(subject__in=hired).count(),
        "goods never brought back: by a fleet": lost.filter(subject__in=hired).count(),
        "rides refused by a fleet": fleets.filter(reason__startswith="refused").count(),
        "rides cancelled by a fleet": fleets.filter(reason__in=["no_courier", "fleet"]).count(),
        "rides that a fleet never took": fleets.filter(reason="untaken").count(),
        "rides that a fleet forgot": fleets.filter(reason="unknown there").count(),
    }


def rides(seen: Mapping[str, Any]) -> dict[str, int]:
    """Rides of a fleet whose callbacks came twice, in another order than they were to be told, in part, or never: by
    what arrived, not by what was switched on. `seen`: the sandbox's /sandbox/rides."""
    heard: dict[str, list[str]] = {ride["number"]: [] for ride in seen["rides"]}
    for one in seen["callbacks"]:
        if one["status"] == 200:
            heard[one["number"]].append(one["code"])
    found: Counter[str] = Counter(
        {"rides of fleets": len(heard), "told twice": 0, "told in another order": 0, "told in part": 0, "never told": 0}
    )
    for ride in seen["rides"]:
        codes, told = ride["codes"], list(dict.fromkeys(heard[ride["number"]]))
        found["told twice"] += len(told) < len(heard[ride["number"]])
        found["told in another order"] += told != [code for code in codes if code in told]
        found["told in part"] += 0 < len(told) < len(codes)
        found["never told"] += not told
    return dict(found)


def notices(wallet: str) -> dict[str, int]:
    """Payments' notifications that were answered more than once, and those that never came."""
    seen = httpx.get(f"{wallet}/sandbox/deliveries?limit=10000", trust_env=False, timeout=30.0).json()
    tries = [one for one in seen["deliveries"] if one["kind"] == "notification" and one["status"] in (200, 204)]
    answered = Counter(one["notification_id"] for one in tries)
    return {
        "payments told more than once": sum(times > 1 for times in answered.values()),
        "payments never told": sum(one["state"] == "dropped" for one in seen["notifications"]),
    }
