"""Mutants that nothing can tell from the original: by target, the line and the change, and why.

Strict: only what cannot change what anybody sees, in any order of events. What merely no test notices survives.
"""

from __future__ import annotations

EQUIVALENT: dict[str, dict[tuple[str, str], str]] = {
    "states": {},
    "ledger": {},
    "holds": {},
    "scarcity": {},
    "notification": {},
}
