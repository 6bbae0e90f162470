"""When people order, where they live, what they put in the basket. Pure; seeded by the caller."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

# Share of a day's orders by local hour: a lunch and a dinner peak (the shape of MDRPLib's city days).
LUNCH, DINNER = 12.2, 19.0
BASE, LUNCH_HEIGHT, DINNER_HEIGHT = 0.35, 1.6, 2.0
OPEN_FROM, OPEN_TO = 7.0, 22.75


@dataclass(frozen=True)
class Spell:
    """From one local hour to another at one store, by its place in the order of the stores' codes."""

    store: int
    start: float
    end: float

    def lasts(self, store: int, hour: float) -> bool:
        return store == self.store and self.start <= hour < self.end


@dataclass(frozen=True)
class Habits:
    """How often people do what is not the plain case; shares of 1."""

    pickup: float = 0.18
    pays_at_pickup: float = 0.5
    does_not_pay: float = 0.03
    changes_mind: float = 0.02
    rates: float = 0.2
    chooses_time: float = 0.06
    shelf_is_short: float = 0.012
    store_rejects: float = 0.01
    nobody_home: float = 0.004
    # Of deliveries; and of those, who has no money at the door after all. Couriers hand in what is more, in fen.
    pays_at_door: float = 0.1
    not_paid: float = 0.01
    hands_in_above: int = 5_000
    # Business seconds after the promise that a shopper goes on waiting.
    patience: float = 3 * 3600.0
    # Couriers: gone for hours with the bag, or before they have one; never telling where they are; what could not be
    # handed over is not brought back.
    vanishes: float = 0.0
    leaves: float = 0.0
    tells_no_place: float = 0.0
    keeps_goods: float = 0.0
    # Shops, and nobody told the platform: shut and turning all away, saying nothing, accepting and never packing.
    shut: tuple[Spell, ...] = ()
    silent: tuple[Spell, ...] = ()
    packs_nothing: tuple[Spell, ...] = ()


PLAIN = Habits(0, 0, 0, 0, 1, 0, 0, 0, 0, pays_at_door=0, not_paid=0, hands_in_above=0)
# A fleet's bag is written off five hours after the promise: who waits for the end of everything waits longer.
FAULTS = Habits(
    nobody_home=0.03,
    patience=6.5 * 3600,
    vanishes=0.02,
    leaves=0.004,
    tells_no_place=0.1,
    keeps_goods=0.5,
    shut=(Spell(0, 12.0, 14.0),),
    silent=(Spell(3, 18.0, 19.5),),
    packs_nothing=(Spell(1, 12.0, 13.5), Spell(5, 19.0, 20.0)),
)


@dataclass(frozen=True)
class Home:
    lat: float
    lon: float
    weight: int


def intensity(hour: float) -> float:
    """Relative arrivals at a local hour of the day (0-24); 0 at night."""
    if not OPEN_FROM <= hour < OPEN_TO:
        return 0.0
    lunch = LUNCH_HEIGHT * math.exp(-((hour - LUNCH) ** 2) / (2 * 0.9**2))
    dinner = DINNER_HEIGHT * math.exp(-((hour - DINNER) ** 2) / (2 * 1.2**2))
    return BASE + lunch + dinner


_DAY = sum(intensity(minute / 60) for minute in range(24 * 60)) / 60


def per_second(hour: float, orders_a_day: int) -> float:
    """Expected orders in a business second at a local hour."""
    return orders_a_day * intensity(hour) / _DAY / 3600


def next_gap(random: Random, hour: float, orders_a_day: int) -> float:
    """Business seconds to the next shopper (exponential at the current rate), at most 10 minutes."""
    rate = per_second(hour, orders_a_day)
    return min(random.expovariate(rate), 600.0) if rate > 0 else 600.0


def where(random: Random, homes: list[Home]) -> tuple[float, float]:
    """A home drawn by population, spread some 80 m around its cell's centre."""
    home = random.choices(homes, weights=[home.weight for home in homes])[0]
    return home.lat + random.gauss(0, 0.0007), home.lon + random.gauss(0, 0.0008)


def basket_size(random: Random) -> int:
    """Distinct products: 1 to 12, mostly 2 to 6."""
    return min(12, 1 + int(random.gammavariate(2.2, 1.7)))


def units(random: Random) -> int:
    return random.choices([1, 2, 3, 4], weights=[70, 20, 7, 3])[0]
