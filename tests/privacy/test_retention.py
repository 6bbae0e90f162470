"""Nothing is kept longer than declared: every period, in virtual time, by the one job."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from django.db import connection
from django.test import Client

from highstreet.delivery.couriers import actions as couriers
from highstreet.delivery.couriers import reads as courier_reads
from highstreet.delivery.couriers.models import Courier, Shift
from highstreet.delivery.dispatch import reads as dispatch
from highstreet.kernel import clock, ids, jobs, privacy
from highstreet.kernel.models import IdempotencyRecord
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.kernel.privacy import register as rooms
from highstreet.kernel.refusal import Refused
from highstreet.people.accounts.models import ApiToken
from highstreet.people.accounts.reads import actor_of_user
from highstreet.people.customers.models import Customer
from highstreet.trade.cart.models import Cart
from highstreet.trade.orders.models import Order, Quote
from highstreet.trade.orders.tests import support as shop
from highstreet.trade.orders.tests.support import Town
from tests.conftest import Add

from .life import TYPED, begin, live

pytestmark = pytest.mark.django_db


@contextmanager
def days_later(days: float) -> Iterator[None]:
    """Both clocks, so many days on."""
    wall = clock.wall() + days * 86400
    with clock.advanced(timedelta(days=days)), patch.object(clock, "wall", lambda: wall):
        yield


def overdue(period: rooms.Period, name: str) -> int:
    """Rows past a period by the register's own words."""
    now = datetime.fromtimestamp(clock.wall(), UTC) if period.stamp == rooms.WALL else clock.now()
    still = ""
    if period.columns:
        names, values = ", ".join(f"t.{one}" for one in period.columns), ", ".join(period.columns.values())
        still = f" AND ROW({names}) IS DISTINCT FROM ROW({values})"
    with connection.cursor() as cursor:
        query = f"SELECT count(*) FROM {name} t WHERE ({period.past}){still}"  # noqa: S608
        cursor.execute(query, {"until": now - timedelta(days=period.days)})
        return int(cursor.fetchone()[0])


def machinery() -> None:
    """Rows of the libraries: a job that failed, a refused sign-in, a session of long ago."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status) "
            "VALUES ('default', 'x', '{}', 'failed')"
        )
        for table, columns, values in (
            ("axes_accessattempt", "get_data, post_data, failures_since_start", "'', '', 1"),
            ("axes_accessfailurelog", "locked_out", "false"),
            ("axes_accesslog", "session_hash", "''"),
        ):
            cursor.execute(
                f"INSERT INTO {table} (username, user_agent, http_accept, path_info, attempt_time, {columns}) "  # noqa: S608
                f"VALUES ('x', '', '', '', now(), {values})"
            )


def test_every_period_in_virtual_time(town: Town, client: Client, row: Add) -> None:
    """A guest's cart, quotes, keys, sessions, tries, webhooks, proofs, doors: there before, gone after."""
    life = begin(town, client)
    live(life)
    guest = Cart.objects.get(key=town.cart(1))
    unused = town.quote(guest.key, store=town.stores[0])
    machinery()
    periods = [(name, period) for name, found in rooms.periods().items() for period in found]
    touched: dict[str, int] = {}
    for days in (1.1, 2.1, 31, 181, 800, 1200):
        with days_later(days):
            jobs.forget(timestamp=0)
            late = {(name, period.says): overdue(period, name) for name, period in periods}
            assert {one: count for one, count in late.items() if count and one[0] not in ("cart_cart",)} == {}
            touched[f"{days} d"] = sum(_sizes().values())
        if days == 2.1:
            assert not IdempotencyRecord.objects.exists() and not Quote.objects.filter(pk=unused.id).exists()
        if days == 31:
            assert not Cart.objects.filter(pk=guest.pk).exists() and not ApiToken.objects.exists()
    kept = Order.objects.get(pk=life.orders[0])
    assert (kept.phone, kept.address, kept.note) == ("", "", "") and kept.total > 0
    assert round(kept.lat, 2) == kept.lat
    assert Customer.objects.get(user_id=life.user).phone == TYPED["phone"]
    shop.clean_audit()
    row(
        "G5", f"{len(periods)} periods in virtual time", n=len(periods), accepted=len(periods), refused=0, notes=touched
    )


def _sizes() -> dict[str, int]:
    with connection.cursor() as cursor:
        sizes = {}
        for name in rooms.periods():
            cursor.execute(f"SELECT count(*) FROM {name}")  # noqa: S608
            sizes[name] = int(cursor.fetchone()[0])
    return sizes


def test_without_its_period_a_row_stays(town: Town) -> None:
    """The negative control: the same age, the period taken out of the register."""
    digest = hashlib.sha256(b"").hexdigest()
    IdempotencyRecord.objects.create(
        id=ids.new_id(), subject="guest:-", endpoint="x", key="k", request_hash=digest, at=clock.now()
    )
    whole = rooms._tables["kernel_idempotencyrecord"]
    with days_later(30):
        with patch.dict(rooms._tables):
            del rooms._tables["kernel_idempotencyrecord"]
            privacy.enforce()
        assert IdempotencyRecord.objects.count() == 1 and whole.periods
        privacy.enforce()
        assert not IdempotencyRecord.objects.exists()


def test_a_position_lives_as_long_as_the_shift_and_an_hour_at_most(town: Town, row: Add) -> None:
    """G5: off duty a position is refused; one that nobody renewed, or that a crash left behind, is deleted."""
    Courier.objects.update(lat=None, lon=None, seen_at=None)
    rider = Courier.objects.select_related("user").first()
    assert rider is not None
    actor = actor_of_user(rider.user_id)

    def seen() -> tuple[float | None, int]:
        on_board = [one for one in dispatch.board(THE_SYSTEM, town.city).couriers if one.lat is not None]
        found = courier_reads.courier(rider.pk)
        assert found is not None
        return found.lat, len(on_board)

    couriers.report_position(actor=actor, lat=-30.03, lon=-51.22)
    assert seen() == (-30.03, 1)
    couriers.end_shift(actor=actor)
    assert seen() == (None, 0)
    with pytest.raises(Refused, match="off_shift"):
        couriers.report_position(actor=actor, lat=-30.03, lon=-51.22)
    couriers.start_shift(actor=actor)
    couriers.report_position(actor=actor, lat=-30.03, lon=-51.22)
    for hours, there in ((0.9, 1), (1.1, 0)):
        with days_later(hours / 24):
            jobs.forget(timestamp=0)
            assert Courier.objects.exclude(lat=None).count() == there
    couriers.report_position(actor=actor, lat=-30.03, lon=-51.22)
    Shift.objects.filter(courier=rider).update(ends_at=clock.now())
    assert courier_reads.courier(rider.pk).lat is None  # type: ignore[union-attr]
    jobs.forget(timestamp=0)
    assert not Courier.objects.exclude(lat=None).exists()
    row("G5", "a courier's position: on shift, off shift, 1.1 h old", n=4, accepted=2, refused=2)
