"""State machines against the real database, on a table of the kernel's own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from highstreet.kernel import clock, ids, states
from highstreet.kernel.models import Hold, StateChange
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import WRONG_STATE
from highstreet.kernel.states import Machine

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
CRATE = Machine(
    name="crate",
    start="held",
    table={
        ("held", "confirm"): "confirmed",
        ("held", "drop"): "released",
        ("confirmed", "drop"): "released",
        ("confirmed", "use"): "consumed",
    },
    column="state",
    stamps={"confirmed": "expires_at"},
)


@pytest.fixture
def crate() -> Hold:
    return made()


def made(state: str = "held") -> Hold:
    return Hold.objects.create(
        group=ids.new_id(), kind="crate", resource=ids.new_id(), quantity=3, state=state, at=NOON, expires_at=NOON
    )


def path(*subjects: UUID) -> list[tuple[UUID, str, str, str]]:
    return [(one.subject, one.event, one.was, one.now) for one in states.history(subjects)]


def test_a_machine_knows_its_states_its_ends_and_where_an_event_fires() -> None:
    assert CRATE.states() == {"held", "confirmed", "released", "consumed"}
    assert CRATE.finals() == {"released", "consumed"}
    assert (CRATE.sources("drop"), CRATE.sources("use"), CRATE.sources("explode")) == (
        ["confirmed", "held"],
        ["confirmed"],
        [],
    )
    alone = Machine(name="lamp", start="off", table={("on", "break"): "broken"})
    assert alone.states() == {"off", "on", "broken"}
    assert alone.column == "status"


def test_a_machine_and_a_change_are_fixed(crate: Hold) -> None:
    states.move(CRATE, crate, "confirm", actor="test")
    for thing in (CRATE, states.history([crate.pk])[0]):
        with pytest.raises(AttributeError):
            thing.name = "another"  # type: ignore[union-attr, misc]


def test_a_move_writes_the_state_its_stamp_and_its_history(crate: Hold) -> None:
    another = made()
    with clock.frozen(NOON + timedelta(hours=1)):
        assert states.move(CRATE, crate, "confirm", actor="user:1", quantity=2) == "confirmed"
    stored = Hold.objects.get(pk=crate.pk)
    for row in (stored, crate):
        assert (row.state, row.quantity, row.expires_at) == ("confirmed", 2, NOON + timedelta(hours=1))
    (change,) = states.history([crate.pk])
    assert (change.machine, change.subject, change.event) == ("crate", crate.pk, "confirm")
    assert (change.was, change.now, change.actor) == ("held", "confirmed", "user:1")
    assert (change.note, change.at) == ("", NOON + timedelta(hours=1))
    another.refresh_from_db()
    assert (another.state, another.quantity) == ("held", 3)


def test_a_stamp_that_is_given_stays(crate: Hold) -> None:
    states.move(CRATE, crate, "confirm", actor="test", expires_at=NOON + timedelta(days=2))
    assert Hold.objects.get(pk=crate.pk).expires_at == NOON + timedelta(days=2)


def test_a_state_without_a_stamp_leaves_the_times_alone(crate: Hold) -> None:
    states.move(CRATE, crate, "drop", actor="test")
    assert Hold.objects.get(pk=crate.pk).expires_at == NOON


def test_a_long_note_is_cut(crate: Hold) -> None:
    states.move(CRATE, crate, "drop", actor="test", note="x" * 300)
    assert states.history([crate.pk])[0].note == "x" * 200


@pytest.mark.parametrize("state", ["held", "confirmed"])
def test_what_is_known_is_tried_first(
    state: str, django_assert_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    """One UPDATE and its history, whichever of the event's states the row is in."""
    row = made(state)
    with django_assert_num_queries(2):
        states.move(CRATE, row, "drop", actor="test")
    assert path(row.pk) == [(row.pk, "drop", state, "released")]


def test_what_has_moved_meanwhile_is_moved_from_where_it_is(crate: Hold) -> None:
    Hold.objects.filter(pk=crate.pk).update(state="confirmed")
    states.move(CRATE, crate, "drop", actor="test")
    assert path(crate.pk) == [(crate.pk, "drop", "confirmed", "released")]


def test_a_refusal_tells_the_state_and_changes_nothing(crate: Hold) -> None:
    Hold.objects.filter(pk=crate.pk).update(state="expired")
    with pytest.raises(Refused) as refused:
        states.move(CRATE, crate, "confirm", actor="test", quantity=1)
    assert refused.value.reason is WRONG_STATE
    assert refused.value.facts["state"] == crate.state == "expired"
    crate.refresh_from_db()
    assert (crate.state, crate.quantity, crate.expires_at) == ("expired", 3, NOON)
    assert not StateChange.objects.exists()


def test_a_row_can_begin_in_the_state_of_an_event(crate: Hold) -> None:
    states.begin(CRATE, crate, "confirm", actor="user:2")
    assert crate.state == "confirmed"
    (change,) = states.history([crate.pk])
    assert (change.event, change.was, change.now) == ("confirm", "held", "confirmed")
    assert (change.actor, change.note) == ("user:2", "")


def test_paths_are_told_oldest_first_and_of_those_asked_for(crate: Hold) -> None:
    other, stranger = made(), made()
    with clock.frozen(NOON + timedelta(minutes=1)):
        states.move(CRATE, stranger, "confirm", actor="test")
        states.move(CRATE, crate, "confirm", actor="test")
        states.move(CRATE, crate, "use", actor="test")
    with clock.frozen(NOON):
        states.move(CRATE, other, "drop", actor="test")
    assert path(crate.pk, other.pk) == [
        (other.pk, "drop", "held", "released"),
        (crate.pk, "confirm", "held", "confirmed"),
        (crate.pk, "use", "confirmed", "consumed"),
    ]
    assert states.history([]) == []
