"""I3: what is on the shelf is explained by its moves, and is never oversold."""

from __future__ import annotations

from highstreet.kernel.audit import add

add(
    "I3",
    "on_hand - held - allocated >= 0",
    "SELECT id::text, on_hand, held, allocated FROM inventory_stocklevel "
    "WHERE on_hand - held - allocated < 0 OR held < 0 OR allocated < 0",
)
add(
    "I3",
    "on_hand is the sum of its moves",
    "SELECT l.id::text, l.on_hand, COALESCE(SUM(m.delta), 0) FROM inventory_stocklevel l "
    "LEFT JOIN inventory_stockmove m ON m.level_id = l.id GROUP BY l.id "
    "HAVING l.on_hand <> COALESCE(SUM(m.delta), 0)",
)
