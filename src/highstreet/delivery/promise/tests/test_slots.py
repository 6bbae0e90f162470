"""Times that a shopper may choose: which there are, what they promise, and what they take from those who order then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from highstreet.delivery.couriers.tests import support
from highstreet.delivery.couriers.tests.support import NOON
from highstreet.kernel import holds, ids
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.supply.organisations import reads as organisations
from highstreet.supply.organisations.rules import Terms
from highstreet.supply.stores import reads as stores
from highstreet.supply.stores.models import Store
from highstreet.trade.orders import ports
from highstreet.trade.orders.ports import PromiseOffer, Slot

from .. import actions, reads, rules
from ..models import CapacitySlot, Promise
from ..rules import Bin, slots

BRAZIL = ZoneInfo("America/Sao_Paulo")
BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
FIVE = NOON + 5 * HOUR


def windows(now: datetime, opens: int, closes: int, zone: ZoneInfo = BRAZIL, **more: int) -> list[slots.Hours]:
    asked = {"minutes": 60, "cutoff": 60, "days": 2} | more
    return slots.windows(now, opens, closes, zone, **asked)


def test_today_from_the_cut_off_on_and_all_of_tomorrow() -> None:
    found = windows(NOON + timedelta(minutes=20), 480, 1320)
    local = [one.starts_at.astimezone(BRAZIL) for one in found]
    assert [at.hour for at in local if at.day == 23] == [14, 15, 16, 17, 18, 19, 20, 21]
    assert [at.hour for at in local if at.day == 24] == list(range(8, 22))
    assert all(one.ends_at - one.starts_at == HOUR for one in found)


def test_odd_hours_are_cut_to_whole_windows() -> None:
    found = windows(NOON - 9 * HOUR, 450, 1350, days=1)  # 7:30 to 22:30, asked at three in the morning
    local = [one.starts_at.astimezone(BRAZIL) for one in found]
    assert (local[0].hour, local[0].minute, local[-1].hour) == (8, 0, 21)


def test_a_retailer_may_offer_none() -> None:
    assert windows(NOON, 480, 1320, minutes=0) == []


def test_an_hour_that_the_clocks_leave_out_is_not_offered() -> None:
    """29 March 2026, Berlin: after 1:59 comes 3:00."""
    found = windows(datetime(2026, 3, 28, 23, tzinfo=UTC), 0, 300, BERLIN, days=1, cutoff=0)
    local = [one.starts_at.astimezone(BERLIN).hour for one in found]
    assert local == [0, 1, 3, 4]
    assert len({one.starts_at for one in found}) == len(found)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(lambda at: at.replace(tzinfo=UTC)),
    st.integers(0, 700),
    st.integers(720, 1440),
    st.sampled_from([30, 60, 120]),
    st.integers(0, 240),
)
def test_windows_lie_within_the_hours_and_after_the_cut_off(
    now: datetime, opens: int, closes: int, minutes: int, cutoff: int
) -> None:
    for one in windows(now, opens, closes, BERLIN, minutes=minutes, cutoff=cutoff):
        assert one.starts_at >= now + timedelta(minutes=cutoff)
        start, end = one.starts_at.astimezone(BERLIN), (one.ends_at - timedelta(seconds=1)).astimezone(BERLIN)
        assert opens <= start.hour * 60 + start.minute and end.hour * 60 + end.minute < closes


QUARTER = timedelta(minutes=15)
FIVE_TO_SIX = slots.Hours(FIVE, FIVE + HOUR)


@pytest.mark.parametrize(
    ("free", "chosen"), [([3, 3, 3, 3], 0), ([1, 5, 2, 9], 1), ([0, 0, 1, 9], 2), ([0, 0, 0, 9], None)]
)
def test_the_emptiest_quarter_that_ends_in_time_is_taken(free: list[int], chosen: int | None) -> None:
    bins = [Bin(FIVE + QUARTER * number, room) for number, room in enumerate(free)]
    found = slots.quarter(FIVE_TO_SIX, bins, residual_seconds=20 * 60)
    assert found == (None if chosen is None else bins[chosen])


@given(st.integers(0, 3), st.floats(0, 1500), st.floats(0, 1800))
def test_the_door_is_within_the_window_with_the_residual_to_spare(number: int, residual: float, ride: float) -> None:
    window = slots.delivered(
        FIVE_TO_SIX, Bin(FIVE + QUARTER * number, 1), travel_seconds=ride, residual_seconds=residual
    )
    assert (window.promised_from, window.promised_to) == (FIVE, FIVE + HOUR)
    assert FIVE <= window.expected <= FIVE + HOUR - timedelta(seconds=residual)
    gone = timedelta(seconds=rules.HANDOVER_SECONDS + ride + rules.DOOR_SECONDS)
    assert window.ready_by + gone == window.expected


@pytest.mark.django_db
@pytest.mark.usefixtures("noon")
class TestKept:
    """On a real database."""

    def asked(self, place: support.Town, mode: str = "delivery", at: datetime = NOON) -> list[Slot]:
        lat, lon = support.point(600, 0)
        return ports.promises().slots(store=place.store, lat=lat, lon=lon, units=3, mode=mode, at=at)

    def offer(
        self,
        place: support.Town,
        slot: datetime | None,
        mode: str = "delivery",
        *,
        at: datetime = NOON,
        agreed: bool = False,
    ) -> PromiseOffer | None:
        lat, lon = support.point(600, 0)
        return ports.promises().offer(
            store=place.store, lat=lat, lon=lon, units=3, mode=mode, at=at, slot=slot, agreed=agreed
        )

    def sure(self, place: support.Town, slot: datetime | None, mode: str = "delivery") -> PromiseOffer:
        found = self.offer(place, slot, mode)
        assert found is not None
        return found

    def keep(self, place: support.Town, found: PromiseOffer, mode: str = "delivery") -> None:
        ports.promises().keep(
            order_id=ids.new_id(), city_id=place.city_id, store_id=place.store.id, mode=mode, offer=found
        )

    def test_a_chosen_window_is_promised_and_held_in_its_quarter(self) -> None:
        place = support.town()
        support.courier(place, 0)
        assert Slot(FIVE, FIVE + HOUR, True) in self.asked(place)
        found = self.sure(place, FIVE)
        assert (found.promised_from, found.promised_to, found.slot) == (FIVE, FIVE + HOUR, FIVE)
        assert found.start_at is not None and found.start_at < found.ready_by < FIVE + HOUR
        assert PromiseOffer.from_json(found.to_json()) == found
        (claim,) = ports.promises().claims(found)
        row = CapacitySlot.objects.get(pk=claim.resource)
        assert FIVE <= row.starts_at < FIVE + HOUR

    def test_a_pickup_is_ready_when_the_window_begins(self) -> None:
        place = support.town()
        found = self.sure(place, FIVE, "pickup")
        assert found.ready_by == found.promised_to == FIVE and ports.promises().claims(found) == []

    def test_a_full_window_says_so_and_is_not_promised(self) -> None:
        place = support.town()
        for _ in range(4):
            support.courier(place, 0)
        assert rules.capacity(4) == 3
        taken = 0
        while (found := self.offer(place, FIVE)) is not None:
            holds.take(ids.new_id(), ports.promises().claims(found), NOON + timedelta(minutes=10))
            taken += 1
        # Two of three rides are given away ahead, in each quarter that ends in time; of the fourth too little is left.
        assert taken == 3 * 2
        assert Slot(FIVE, FIVE + HOUR, False) in self.asked(place)
        assert Slot(FIVE + HOUR, FIVE + 2 * HOUR, True) in self.asked(place)
        assert support.broken() == []

    def test_the_cut_off_ends_it_but_not_for_who_chose_it_before(self) -> None:
        place = support.town()
        support.courier(place, 0)
        late = FIVE - timedelta(minutes=59)
        assert self.offer(place, FIVE, at=late) is None
        assert FIVE not in [one.starts_at for one in self.asked(place, at=late)]
        assert self.offer(place, FIVE, at=late, agreed=True) is not None
        assert self.offer(place, FIVE + HOUR, at=FIVE + timedelta(minutes=50), agreed=True) is not None
        # Nobody packs and brings it in five minutes that are left.
        assert self.offer(place, FIVE, at=FIVE + timedelta(minutes=55), agreed=True) is None

    def test_no_window_begins_at_an_odd_minute(self) -> None:
        place = support.town()
        support.courier(place, 0)
        assert self.offer(place, FIVE + timedelta(minutes=7)) is None

    def test_a_closed_shop_offers_tomorrow_from_when_it_can_have_packed(self) -> None:
        place = support.town(opens=480, closes=720)
        support.courier(place, 0)
        hours = [one.starts_at.astimezone(BRAZIL) for one in self.asked(place)]
        assert [(at.day, at.hour) for at in hours] == [(24, 8), (24, 9), (24, 10), (24, 11)]
        eight = self.sure(place, NOON + 20 * HOUR)
        assert eight.start_at is not None and eight.start_at >= NOON + 20 * HOUR - timedelta(minutes=5)

    def test_a_paused_shop_offers_nothing_that_it_would_have_to_begin_in_the_pause(self) -> None:
        place = support.town()
        support.courier(place, 0)
        Store.objects.filter(pk=place.store.id).update(paused_until=FIVE)
        paused = stores.store(place.store.id)
        lat, lon = support.point(600, 0)
        found = ports.promises().slots(store=paused, lat=lat, lon=lon, units=3, mode="delivery", at=NOON)
        assert found[0].starts_at in (FIVE, FIVE + HOUR)

    def test_what_was_chosen_for_later_is_no_load_now_and_is_when_it_begins(self) -> None:
        place = support.town()
        support.courier(place, 0)
        before = self.sure(place, None)
        chosen = self.sure(place, FIVE)
        for _ in range(6):
            self.keep(place, chosen)
        assert self.sure(place, None).promised_to == before.promised_to
        row = Promise.objects.latest("made_at")
        assert row.begins_at == chosen.start_at
        assert reads.running(place.city_id, []) == []
        assert chosen.start_at is not None
        then = chosen.start_at + timedelta(minutes=1)
        with support.ticking(then):
            loaded = self.offer(place, None, at=then)
            assert loaded is not None and loaded.basis["load_orders"] == 6
            assert len(reads.running(place.city_id, [])) == 6

    def test_a_chosen_window_teaches_nothing_of_durations(self) -> None:
        place = support.town()
        support.courier(place, 0)
        self.keep(place, self.sure(place, FIVE))
        order_id = Promise.objects.get().order_id
        actions.packed(actor=THE_SYSTEM, order_id=order_id, at=FIVE)
        actions.fulfilled(actor=THE_SYSTEM, order_id=order_id, at=FIVE + timedelta(minutes=20))
        reads.forget()
        seen = reads.situation.__wrapped__(place.city_id, FIVE + timedelta(minutes=30))  # type: ignore[attr-defined]
        assert len(seen.lately["delivery"].scores) == 0 and seen.paces == {}

    def test_the_same_statements_for_one_window_or_forty(self) -> None:
        place = support.town()
        support.courier(place, 0)
        self.asked(place)
        with CaptureQueriesContext(
            connection,
        ) as few:
            self.asked(place)
        for number in range(8):
            self.keep(place, self.sure(place, NOON + 20 * HOUR + number * HOUR))
        with CaptureQueriesContext(connection) as more:
            self.asked(place)
        assert len(more) <= len(few) <= 9

    def test_windows_are_whole_quarters(self) -> None:
        with pytest.raises(ValueError, match="quarters"):
            Terms.of({"slot_minutes": 50})
        for name in ("slot_minutes", "slot_cutoff_minutes", "slot_days", "slot_share"):
            with pytest.raises(ValueError, match=f"{name} is at most"):
                Terms.of({name: 15 * 10**6})

    def test_terms_say_how_long_windows_are(self) -> None:
        place = support.town(policy={"slot_minutes": 120, "slot_cutoff_minutes": 240, "slot_days": 1})
        support.courier(place, 0)
        assert organisations.terms(place.retailer_id).slot_minutes == 120
        hours = [one.starts_at.astimezone(BRAZIL).hour for one in self.asked(place)]
        assert hours == [16, 18, 20]
