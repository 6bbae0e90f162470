"""The gate and the breaker, without a server."""

from __future__ import annotations

import threading
import time

import pytest

from highstreet.kernel.breaker import Breaker, Open
from highstreet.kernel.pressure import BROWSING, CLASSES, ORDERS, RECOMMENDATIONS, SEARCH, Gate
from highstreet.web.server import WAITING_A_SLOT


def test_whoever_is_shed_first_may_queue_least() -> None:
    rooms = [kind.room for kind in CLASSES]
    assert rooms == sorted(rooms)
    assert [kind.patience for kind in CLASSES] == sorted(kind.patience for kind in CLASSES)
    assert ORDERS.room == WAITING_A_SLOT


def test_the_higher_class_gets_the_slot_and_the_lower_is_refused() -> None:
    gate: Gate[int] = Gate([1])
    slot = gate.enter(BROWSING)
    assert slot == 1
    got: list[tuple[str, int | None]] = []

    def come(kind: object) -> None:
        got.append((kind.name, gate.enter(kind)))  # type: ignore[attr-defined, arg-type]

    crowd = [threading.Thread(target=come, args=(kind,)) for kind in (BROWSING, ORDERS)]
    for one in crowd:
        one.start()
        while gate.waiting < crowd.index(one) + 1:
            time.sleep(0.001)
    # Two wait for one slot: too many for a search to queue behind.
    assert gate.enter(SEARCH) is None
    gate.leave(1)
    crowd[1].join()
    assert got == [("orders", 1)]
    crowd[0].join()
    assert got[1] == ("browsing", None)
    assert gate.waiting == 0
    gate.leave(1)
    assert gate.busy == 0


def test_160_at_once_never_hold_more_than_there_is() -> None:
    """Every slot is held by one at a time, nobody waits for ever, and all slots come back."""
    gate: Gate[int] = Gate([1, 2, 3, 4])
    held, most, lock, wrong = set[int](), [0], threading.Lock(), list[int]()
    barrier = threading.Barrier(160)

    def work() -> None:
        barrier.wait()
        slot = gate.enter(ORDERS)
        assert slot is not None
        with lock:
            if slot in held:
                wrong.append(slot)
            held.add(slot)
            most[0] = max(most[0], len(held))
        time.sleep(0.001)
        with lock:
            held.discard(slot)
        gate.leave(slot)

    crowd = [threading.Thread(target=work) for _ in range(160)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(20)
    assert not any(one.is_alive() for one in crowd)
    assert wrong == []
    assert most == [4]
    assert (gate.busy, gate.waiting) == (0, 0)


def test_recommendations_are_never_waited_for_long() -> None:
    gate: Gate[int] = Gate([])
    assert gate.enter(RECOMMENDATIONS) is None


def test_a_breaker_opens_rests_and_tries_again() -> None:
    breaker = Breaker(failures=2, rest=0.05, at_once=1)
    for _ in range(2):
        with pytest.raises(OSError), breaker.call(OSError):
            raise OSError
    with pytest.raises(Open), breaker.call(OSError):
        pass
    time.sleep(0.06)
    # One tries; the others are still refused.
    with breaker.call(OSError), pytest.raises(Open), breaker.call(OSError):
        pass
    with breaker.call(OSError):
        pass


def test_a_refusal_is_an_answer() -> None:
    breaker = Breaker(failures=1, rest=60)
    with pytest.raises(ValueError), breaker.call(OSError):
        raise ValueError
    with breaker.call(OSError):
        pass


def test_one_call_too_many_waits_while_the_service_answers() -> None:
    breaker = Breaker(at_once=1, patience=5.0)
    inside, done = threading.Event(), threading.Event()

    def slow() -> None:
        with breaker.call(OSError):
            inside.set()
            done.wait(5.0)

    def later() -> None:
        with breaker.call(OSError):
            passed.append(done.is_set())

    passed: list[bool] = []
    first, second = threading.Thread(target=slow), threading.Thread(target=later)
    first.start()
    assert inside.wait(5.0)
    second.start()
    done.set()
    first.join()
    second.join()
    assert passed == [True]


def test_nobody_waits_longer_than_patience() -> None:
    breaker = Breaker(at_once=1, patience=0.01)
    with breaker.call(OSError), pytest.raises(Open), breaker.call(OSError):
        pass
