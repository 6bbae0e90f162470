"""Personal data: a register that every package fills in its own `privacy.py`, and what is done by it.

Export, erasure and retention read the register and nothing else, so what is not declared is neither given
out nor forgotten; `tests/contracts/test_privacy.py` compares the register with the database's catalogue.
"""

from .erasing import erase, giving_way, still_open
from .exporting import export
from .persons import Person, public, scope
from .register import Open, Period, Place, Table, discover, impersonal, personal, place, places, tables
from .retention import enforce

__all__ = [
    "Open",
    "Period",
    "Person",
    "Place",
    "Table",
    "discover",
    "enforce",
    "erase",
    "export",
    "giving_way",
    "impersonal",
    "personal",
    "place",
    "places",
    "public",
    "scope",
    "still_open",
    "tables",
]
