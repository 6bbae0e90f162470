"""How full this process is, and who waits: admission by class of request, in the written order of shedding.

A process works on as many requests at once as it has slots, each with its database connection. Whoever finds none free
waits, the higher class first, unless more wait already than its class may queue behind: then it is refused at once.
So recommendations go first, then search, then browsing; carts, orders, payments and dispatch last.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Class:
    """`room`: how many may wait before one of this class is refused, in slots; `patience`: seconds it waits at most."""

    name: str
    room: float
    patience: float


RECOMMENDATIONS = Class("recommendations", 0.5, 0.05)
SEARCH = Class("search", 1.0, 0.05)
BROWSING = Class("browsing", 2.0, 0.1)
CARTS = Class("carts", 8.0, 4.0)
ORDERS = Class("orders", 40.0, 25.0)
# In the order in which they are shed.
CLASSES = (RECOMMENDATIONS, SEARCH, BROWSING, CARTS, ORDERS)
RANK = {kind: rank for rank, kind in enumerate(CLASSES)}


@dataclass(eq=False)
class _Waiter(Generic[T]):
    kind: Class
    ready: threading.Lock = field(default_factory=threading.Lock)
    slot: T | None = None


class Gate(Generic[T]):
    """`slots` are handed out and given back, the one last used first, so that few connections stay warm."""

    def __init__(self, slots: list[T]) -> None:
        self.slots = len(slots)
        self.waiting = 0
        self._free = list(slots)
        self._lock = threading.Lock()
        self._queues: list[deque[_Waiter[T]]] = [deque() for _ in CLASSES]

    @property
    def busy(self) -> int:
        return self.slots - len(self._free)

    def enter(self, kind: Class) -> T | None:
        """A slot, at once or after waiting; None when the class is shed."""
        with self._lock:
            if self._free:
                return self._free.pop()
            if self.waiting >= kind.room * self.slots:
                return None
            waiter: _Waiter[T] = _Waiter(kind)
            waiter.ready.acquire()
            self._queues[RANK[kind]].append(waiter)
            self.waiting += 1
        if not waiter.ready.acquire(timeout=kind.patience):
            with self._lock:
                # It may have been given one in the meantime.
                if waiter.slot is None:
                    self._queues[RANK[kind]].remove(waiter)
                    self.waiting -= 1
        return waiter.slot

    def leave(self, slot: T) -> None:
        """Give the slot to who waits longest in the highest class, else keep it."""
        with self._lock:
            for queue in reversed(self._queues):
                if queue:
                    waiter = queue.popleft()
                    self.waiting -= 1
                    waiter.slot = slot
                    waiter.ready.release()
                    return
            self._free.append(slot)


# Set by the process that serves: how many wait, and how many may before recommendations are left out.
_waiting: Callable[[], tuple[int, int]] = lambda: (0, 1)  # noqa: E731
_left_out: Callable[[str], None] = lambda name: None  # noqa: E731


def watch(waiting: Callable[[], tuple[int, int]], left_out: Callable[[str], None]) -> None:
    """Have `spare` ask this process's gate and tell what is left out. Called once, by the server's door."""
    global _waiting, _left_out
    _waiting, _left_out = waiting, left_out


def spare(kind: Class = RECOMMENDATIONS) -> bool:
    """Whether a page may do what it can do without: asked before work of that class within another's request."""
    waiting, slots = _waiting()
    if waiting < kind.room * slots:
        return True
    _left_out(kind.name)
    return False


def now() -> float:
    """Monotonic seconds, for what is measured here."""
    return time.perf_counter()
