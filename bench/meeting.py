"""Who waits for whom at the shops: `python bench/meeting.py [--couriers 7 --orders 44 --hours 1 --seeds 1 2]`.

A city in straight lines in one process: the real promise, dispatcher and fulfilment on a real database, simulated
shoppers, pickers and couriers, and business time that goes on when all is done that was due. A busy machine takes
longer and finds the same, which `bench/day.py` cannot. `--orders` an hour; a shopper is not promised more than an hour.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch
from uuid import UUID

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "highstreet.settings")

import highstreet.kernel.testing  # noqa: E402, F401  (a database)

STEP = 8
MINUTE = timedelta(minutes=1)
HANDS = 4
LONGEST = 60 * MINUTE


@dataclass
class Rider:
    """A courier: where, and on the way or busy until when, with what then."""

    actor: Any
    at: tuple[float, float]
    pace: float
    random: Random
    since: datetime
    until: datetime
    way: tuple[tuple[float, float], tuple[float, float]] | None = None
    due: tuple[str, UUID] | None = None
    visit: tuple[UUID, ...] = ()


@dataclass
class Day:
    """One simulated stretch; `tell` collects what came of it."""

    seed: int
    couriers: int
    orders: float
    hours: float
    shops: int
    lost: int = 0
    promised: list[float] = field(default_factory=list)

    def live(self) -> None:
        from highstreet.delivery.couriers.tests import support
        from highstreet.delivery.dispatch import loop
        from highstreet.delivery.promise import reads as promises

        self.place = support.town(self.shops)
        self.demand, self.picking = Random(self.seed), Random(self.seed + 1000)
        self.now = support.NOON
        self.hands: dict[UUID, list[datetime]] = {shop.id: [self.now] * HANDS for shop in self.place.stores}
        self.picked: dict[UUID, datetime] = {}
        self.accepts: dict[UUID, datetime] = {}
        with self._clock():
            self.riders = [self._rider(number) for number in range(self.couriers)]
            support.settle()
            arrive, end = self.now, self.now + timedelta(hours=self.hours)
            while self.now < end + timedelta(hours=3) and (self.now < end or self._open()):
                every_minute = (self.now - support.NOON).total_seconds() % 60 < STEP
                if every_minute:
                    promises.forget()
                while arrive <= self.now < end:
                    self._order()
                    arrive += timedelta(hours=self.demand.expovariate(self.orders))
                self._shops()
                self._accept()
                for rider in self.riders:
                    self._ride(rider)
                support.settle()
                loop.epoch(self.place.city_id, with_capacity=every_minute)
                self.now += timedelta(seconds=STEP)

    @contextmanager
    def _clock(self) -> Iterator[None]:
        from highstreet.delivery.promise import actions
        from highstreet.kernel import clock
        from highstreet.trade.payments import ports

        ticks = iter(range(10**9))
        with (
            patch.object(clock, "now", lambda: self.now + timedelta(microseconds=next(ticks) % 10**6)),
            patch.object(actions, "_compensate", lambda *of: None),
            patch.object(ports.payable_lock, "_filled", lambda order: None),
        ):
            yield

    def _rider(self, number: int) -> Rider:
        from highstreet.delivery.couriers.tests import support

        random = Random(self.seed * 100 + number)
        north, east = random.gauss(0, 400), 800 * (number % self.shops) + random.gauss(0, 400)
        actor = support.courier(self.place, north, east)
        return Rider(actor, support.point(north, east), random.uniform(0.9, 1.15), random, self.now, self.now)

    def _open(self) -> bool:
        from highstreet.trade.fulfilment.models import Fulfilment

        return Fulfilment.objects.filter(store__city_id=self.place.city_id).exclude(status="delivered").exists()

    def _order(self) -> None:
        """A shopper near some shop takes what is promised, unless that is too long."""
        from django.db import transaction

        from highstreet.delivery.couriers.tests import support
        from highstreet.kernel import holds
        from highstreet.trade.fulfilment.models import Fulfilment
        from highstreet.trade.orders import ports

        number, units = self.demand.randrange(self.shops), self.demand.choice([2, 3, 4, 6, 9])
        north, east = self.demand.gauss(0, 900), 800 * number + self.demand.gauss(0, 900)
        shop, (lat, lon) = self.place.stores[number], support.point(north, east)
        wait = timedelta(seconds=self.demand.uniform(10, 40))
        with transaction.atomic():
            asked: dict[str, Any] = {
                "store": shop,
                "lat": lat,
                "lon": lon,
                "units": units,
                "mode": "delivery",
                "at": self.now,
            }
            found = ports.promises().offer(**asked)
            if found is None or found.promised_to > self.now + LONGEST:
                self.lost += 1
                return
            row = support.fulfilment(self.place, north, east, at=self.now, status="pending", store=number)
            changed = {name: getattr(found, name) for name in ("promised_from", "promised_to", "ready_by", "start_at")}
            Fulfilment.objects.filter(pk=row.pk).update(**changed)
            holds.take(row.group, ports.promises().claims(found), self.now + 10 * MINUTE, confirmed=True)
            kept: dict[str, Any] = {
                "order_id": row.order_id,
                "city_id": self.place.city_id,
                "store_id": shop.id,
                "mode": "delivery",
            }
            ports.promises().keep(**kept, offer=found)
        self.promised.append((found.promised_to - self.now) / MINUTE)
        self.accepts[row.pk] = self.now + wait
        self.units = getattr(self, "units", {}) | {row.pk: units}

    def _shops(self) -> None:
        """Accept what is new; begin what is due with free hands, what is to be ready first; pack what is done."""
        from django.db import transaction

        from highstreet.kernel import outbox
        from highstreet.kernel.policy import THE_SYSTEM
        from highstreet.kernel.states import move
        from highstreet.trade.fulfilment import actions, events
        from highstreet.trade.fulfilment.models import Fulfilment
        from highstreet.trade.fulfilment.states import MACHINE

        rows = Fulfilment.objects.filter(
            store__city_id=self.place.city_id, status__in=("pending", "accepted", "picking")
        )
        for row in rows.order_by("ready_by", "pk"):
            with transaction.atomic():
                if row.status == "pending" and self.accepts[row.pk] <= self.now:
                    actions.accept(actor=THE_SYSTEM, fulfilment_id=row.pk)
                elif row.status == "accepted" and (row.start_at is None or row.start_at <= self.now):
                    hands = self.hands[row.store_id]
                    hands.sort()
                    if hands[0] > self.now:
                        continue
                    actions.start_picking(actor=THE_SYSTEM, fulfilment_id=row.pk)
                    takes = sum(self.picking.uniform(8, 22) for _ in range(self.units[row.pk]))
                    hands[0] = self.picked[row.pk] = self.now + timedelta(seconds=60 + takes)
                elif row.status == "picking" and self.picked[row.pk] <= self.now:
                    for event in ("pack", "make_ready"):
                        move(MACHINE, row, event, actor="bench")
                    at = self.now.isoformat()
                    outbox.emit(events.FulfilmentReady(row.pk, row.order_id, row.store_id, "delivery", at))

    def _accept(self) -> None:
        """Couriers accept on their way, not only when they stand."""
        from highstreet.delivery.dispatch import actions
        from highstreet.delivery.dispatch.models import Delivery

        by_id = {rider.actor.courier_id: rider.actor for rider in self.riders}
        for row in Delivery.objects.filter(city_id=self.place.city_id, status="assigned").order_by("pk"):
            actions.accept(actor=by_id[row.courier_id], delivery_id=row.pk)

    def _ride(self, rider: Rider) -> None:
        """What is due is done; then the next step of the first stop."""
        from django.db import transaction

        from highstreet.delivery.couriers import actions as couriers
        from highstreet.delivery.dispatch import snapshot
        from highstreet.delivery.dispatch.models import Delivery
        from highstreet.delivery.dispatch.rules import stops
        from highstreet.delivery.dispatch.states import LIVE

        if rider.way is not None:
            whole = max((rider.until - rider.since).total_seconds(), 1.0)
            share = min((self.now - rider.since).total_seconds() / whole, 1.0)
            (south, west), (north, east) = rider.way
            rider.at = south + share * (north - south), west + share * (east - west)
        if (self.now.second // STEP) % 3 == 0 or rider.until <= self.now:
            couriers.report_position(actor=rider.actor, lat=rider.at[0], lon=rider.at[1])
        if rider.until > self.now:
            return
        rider.way = None
        with transaction.atomic():
            if rider.due is not None and not self._done(rider, *rider.due):
                return
            rider.due = None
            rows = list(Delivery.objects.filter(courier_id=rider.actor.courier_id, status__in=LIVE).defer("proof"))
            if not rows:
                return
            stop = stops(snapshot.tasks(rows, self.now))[0]
            # All that a visit is for goes into the bag before it is left, but for what is not packed.
            here = [row for row in rows if row.pk in rider.visit and row.status in ("accepted", "at_store")]
            here = [row for row in here if row.status == "accepted" or row.ready_at is not None]
            first = [row for row in rows if row.pk == stop.deliveries[0]]
            self._next(rider, [*here, *first][0], stop)

    def _next(self, rider: Rider, row: Any, stop: Any) -> None:
        """Begin the next step of a delivery: how long it takes, and what it ends with."""
        from highstreet.delivery.dispatch import snapshot

        verb = {"accepted": "arrive_store", "at_store": "pick_up", "picked_up": "arrive_door"}
        takes = {"pick_up": (20, 60), "deliver": (40, 120)}
        what = verb.get(row.status, "deliver")
        if what == "pick_up" and row.ready_at is None:
            return
        rider.due, rider.since = (what, row.pk), self.now
        if what in takes:
            rider.until = self.now + timedelta(seconds=rider.random.uniform(*takes[what]))
            return
        if row.pk in rider.visit and what == "arrive_store":
            return
        rider.visit = stop.deliveries if what == "arrive_store" else ()
        legs = snapshot.legs(self.place.city_id)
        seconds = float(legs.to_place([rider.at], stop.place, at=self.now)[0]) / rider.pace
        rider.until, rider.way = self.now + timedelta(seconds=seconds), (rider.at, stop.place)

    def _done(self, rider: Rider, what: str, delivery_id: UUID) -> bool:
        """Whether it could be done: goods that are not packed are waited for, jobs that were taken away are not."""
        from highstreet.delivery.dispatch import actions
        from highstreet.kernel.refusal import Refused

        proof = {"proof_kind": "code", "proof": "4711"} if what == "deliver" else {}
        try:
            getattr(actions, what)(actor=rider.actor, delivery_id=delivery_id, **proof)
        except Refused as refused:
            return refused.reason.code != "not_ready"
        return True


def told(days: list[Day]) -> None:
    from highstreet.delivery.dispatch.models import Delivery
    from highstreet.delivery.promise.models import Promise

    head = f"{'seed':>5} {'rides':>6} {'refused':>8} {'stood: mean':>12} {'p90':>6} {'waited: mean':>13} {'p90':>6}"
    print(f"{head} {'kept %':>7} {'promised':>9} {'click to door':>14}  minutes")
    for day in days:
        city = day.place.city_id
        rides = list(Delivery.objects.filter(city_id=city, status="delivered").order_by("created_at", "pk"))
        made = dict(Promise.objects.filter(city_id=city).values_list("order_id", "made_at"))
        outcomes = list(Promise.objects.filter(city_id=city).values_list("outcome", flat=True))
        stood = sorted(_minutes(ride.ready_at, ride.picked_up_at) for ride in rides)
        waited = sorted(_minutes(ride.arrived_at or ride.picked_up_at, ride.ready_at) for ride in rides)
        click = sorted(_minutes(made[ride.order_id], ride.ended_at) for ride in rides)
        judged = outcomes.count("kept") + outcomes.count("broken")
        print(
            f"{day.seed:>5} {len(rides):>6} {day.lost:>8} {_mean(stood):>12.1f} {_p90(stood):>6.1f} "
            f"{_mean(waited):>13.1f} {_p90(waited):>6.1f} {100 * outcomes.count('kept') / max(judged, 1):>7.1f} "
            f"{_mean(day.promised):>9.1f} {_mean(click):>14.1f}",
            flush=True,
        )


def each(day: Day) -> None:
    """Each ride in minutes since it was ordered: planned to begin, begun, packed, courier told, picked up, door."""
    from highstreet.delivery.dispatch.models import Delivery
    from highstreet.delivery.promise.models import Promise

    kept = {row.order_id: row for row in Promise.objects.filter(city_id=day.place.city_id)}
    print("planned  begun packed   told picked   door promised, reckoned to pack")
    for ride in Delivery.objects.filter(city_id=day.place.city_id, status="delivered").order_by("created_at", "pk"):
        row = kept[ride.order_id]
        planned = row.basis.get("start_at")
        moments = [datetime.fromisoformat(planned) if planned else None, getattr(row, "start_at", None)]
        moments += [ride.ready_at, ride.assigned_at, ride.picked_up_at, ride.ended_at, row.promised_to]
        print(*(f"{_minutes(row.made_at, at):>6.1f}" if at else "     –" for at in moments), row.basis["prep_minutes"])


def _minutes(since: datetime | None, until: datetime | None) -> float:
    assert since is not None and until is not None
    return max((until - since) / MINUTE, 0.0)


def _mean(values: list[float]) -> float:
    return sum(values) / max(len(values), 1)


def _p90(values: list[float]) -> float:
    return values[int(len(values) * 0.9)] if values else 0.0


def main(argv: Iterable[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--couriers", type=int, default=7)
    parser.add_argument("--orders", type=float, default=44.0, help="an hour")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--shops", type=int, default=3)
    parser.add_argument("--rides", action="store_true", help="each ride: minutes since it was ordered")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args(list(argv))
    import django

    django.setup()
    from django.test.utils import setup_databases, teardown_databases

    made = setup_databases(verbosity=0, interactive=False)
    try:
        print(f"command  python bench/meeting.py {' '.join(sys.argv[1:])}".rstrip(), flush=True)
        for seed in options.seeds:
            day = Day(seed, options.couriers, options.orders, options.hours, options.shops)
            day.live()
            told([day])
            if options.rides:
                each(day)
    finally:
        teardown_databases(made, verbosity=0)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
