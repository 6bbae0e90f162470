"""The dispatcher's process: wakes every few seconds and plans its cities, each of which has one process (`leading`)."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, connection

from highstreet.kernel import clock, heartbeat
from highstreet.kernel.policy import THE_SYSTEM

log = structlog.get_logger(__name__)
EVERY_SECONDS = 4.0
LEAST_WALL_SECONDS = 0.3
CAPACITY_EVERY_SECONDS = 60.0


def run_forever(stop: threading.Event) -> None:
    """Plan this process's share of the cities until `stop` is set. Errors are logged and the next turn tries again."""
    from highstreet.supply.organisations import reads as organisations

    from . import leading

    capacity_due: dict[UUID, float] = {}
    while not stop.is_set():
        started = clock.wall()
        try:
            codes = {city.id: city.code for city in organisations.cities()}
            ours = leading.lead(codes)
            capacity_due = {city_id: capacity_due.get(city_id, 0.0) for city_id in ours}
            for city_id in ours:
                with_capacity = started >= capacity_due[city_id]
                if _in_turn(city_id, codes[city_id], with_capacity=with_capacity) and with_capacity:
                    capacity_due[city_id] = started + max(clock.real_seconds(CAPACITY_EVERY_SECONDS), 1.0)
        except (OperationalError, InterfaceError) as error:
            log.warning("dispatch.database", error=str(error)[:200])
            connection.close()
        except Exception:
            log.exception("dispatch.failed")
        pause = max(clock.real_seconds(EVERY_SECONDS), LEAST_WALL_SECONDS)
        stop.wait(max(pause - (clock.wall() - started), 0.02))
    connection.close()


def _in_turn(city_id: UUID, code: str, *, with_capacity: bool) -> bool:
    """One city's epoch, and its sign of life: whether it went. What goes wrong there is no other city's; a lost
    database is everybody's."""
    started = clock.wall()
    try:
        epoch(city_id, with_capacity=with_capacity)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("dispatch.failed", city=str(city_id))
        return False
    heartbeat.beat(f"dispatch {code}", seconds=round(clock.wall() - started, 3))
    return True


def epoch(city_id: UUID, *, with_capacity: bool = False) -> None:
    """One city's turn: plan, and now and then refresh what may be promised."""
    # Imported late: `python -m` runs this file before Django is set up.
    from highstreet.delivery.promise import actions as promises

    from . import actions, hired, reads, snapshot

    done = actions.plan(actor=THE_SYSTEM, city_id=city_id)
    if with_capacity:
        now = clock.now()
        seen = snapshot.take(city_id, now, done.away, everywhere=True)
        rides = {shop.id: seen.problem.to_store[:, number] for number, shop in enumerate(seen.stores)}
        cycle = reads.cycle_minutes(city_id)
        promises.divide(actor=THE_SYSTEM, city_id=city_id)
        promises.open_slots(actor=THE_SYSTEM, city_id=city_id, cycle_minutes=cycle, rides=rides, away=done.away)
        by_fleet = hired.reach(city_id, seen.stores, now)
        reached = snapshot.couriers_in(seen, city_id, now) | by_fleet
        paces = dict.fromkeys(reached.keys() - by_fleet.keys(), snapshot.pace(seen, city_id, now))
        promises.expect_couriers(actor=THE_SYSTEM, city_id=city_id, seconds=reached, paces=paces)
        actions.place_idle(actor=THE_SYSTEM, city_id=city_id, seen=seen)
    counts = {name: getattr(done, name) for name in ("assigned", "lapsed", "relieved", "waiting")}
    if done.assigned or done.lapsed or done.relieved:
        log.info("dispatch.epoch", city=str(city_id), **counts)


def main() -> None:
    """`python -m highstreet.delivery.dispatch.loop`."""
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "highstreet.settings")
    django.setup()
    stop = threading.Event()

    def quit_now(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, quit_now)
    signal.signal(signal.SIGINT, quit_now)
    run_forever(stop)


if __name__ == "__main__":
    main()
