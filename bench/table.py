"""The costs of several systems as one table: a row an operation, a column a system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.load import Cost

NONE = "—"


def cell(cost: Cost) -> str:
    """A second, 99th percentile, CPU ms of server and PostgreSQL and, where counted, M instructions."""
    failed = f", failed {cost.failures()}" if cost.failed else ""
    counted = f", {cost.million()} M" if cost.million() else ""
    spent = f"{cost.server_ms:.2f} + {cost.database_ms:.2f} ms"
    return f"{cost.per_second:,.1f}/s, p99 {cost.p99:.0f} ms, {spent}{counted}{failed}"


def side_by_side(
    costs: Sequence[Cost], systems: Sequence[str], clients: int, more: Mapping[str, Mapping[str, str]]
) -> str:
    """The operations that `systems` were asked at so many clients, then the rows of `more` (by name, by system)."""
    own = {(cost.name, cost.system): cell(cost) for cost in costs if cost.clients == clients and cost.system in systems}
    rows: dict[str, dict[str, str]] = {}
    for (name, system), said in own.items():
        rows.setdefault(name, {})[system] = said
    lines = [f"| {clients} clients | {' | '.join(systems)} |", "|---" * (len(systems) + 1) + "|"]
    for name, said_by in [*rows.items(), *more.items()]:
        lines.append(f"| {name} | {' | '.join(said_by.get(system, NONE) for system in systems)} |")
    return "\n".join(lines)
