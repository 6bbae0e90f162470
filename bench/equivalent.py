"""Mutants that nothing can tell from the original: by target, the line and the change, and why.

Strict: only what cannot change what anybody sees, in any order of events. What merely no test notices survives.
"""

from __future__ import annotations

NO_KEY = "the two locks differ for foreign keys' checks alone, and nothing references a hold"

FREED = 'f"WITH freed AS (SELECT id, {shares.owner} AS owner, {part.free} AS n FROM {part.table} "  # noqa: S608'
SPARE = 'f"WITH spare AS (SELECT id, {thing.free} AS n FROM {thing.table} WHERE id = ANY(%s) "  # noqa: S608'
ZERO = "of rows that are locked anyway, nothing more is moved: 0 is added or taken"

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
    "scarcity": {
        (
            FREED,
            "SQL: '>' made '>=' in '2» WHERE {shares.owner} = ANY(%s) AND {part.free} > 0), emptied AS (UPDA'",
        ): ZERO,
        (
            SPARE,
            "SQL: '>' made '>=' in 'E id = ANY(%s) AND {shares.spread} AND {thing.free} > 0), portions AS (SEL'",
        ): ZERO,
        (SPARE, "SQL: '>' made '>=' in 'ns q WHERE s.id = q.id AND q.n > 0) UPDATE {thing.table} t SET'"): ZERO,
        (
            'return f"""',
            "SQL: 'false' made 'true' in 'ken RETURNING resource, true, false'",
        ): "of a share nobody reads whether it has shares",
    },
    "notification": {},
}
