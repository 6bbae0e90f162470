"""Mutants that nothing can tell from the original: by target, the line and the change, and why.

Strict: only what cannot change what anybody sees, in any order of events. What merely no test notices survives.
"""

from __future__ import annotations

NO_KEY = "the two locks differ for foreign keys' checks alone, and nothing references a hold"

EQUIVALENT: dict[str, dict[tuple[str, str], str]] = {
    "states": {},
    "ledger": {},
    "holds": {
        ("Hold.objects.select_for_update(no_key=True)", "True made False"): NO_KEY,
        (
            'rows = Hold.objects.select_for_update(no_key=True).filter(group=group, kind=kind, state="confirmed")',
            "True made False",
        ): NO_KEY,
        (
            "if not _taken(_write(part, taking, [claim], take_sql(part, taking.confirmed, gathered=False))):",
            "False made True",
        ): "a share has no shares of its own, so nothing is left out of its statement either way",
    },
    "scarcity": {},
    "notification": {},
}
