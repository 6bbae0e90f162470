"""I3: what is on the shelf is explained by its moves, and is never oversold."""

from __future__ import annotations

from highstreet.kernel.audit import add

add(
    "I3",
    "on_hand - held - allocated >= 0",
    "SELECT id::text, on_hand, held, allocated FROM inventory_stocklevel "
    "WHERE on_hand - held - allocated < 0 OR held < 0 OR allocated < 0 UNION ALL "
    "SELECT id::text, units, held, allocated FROM inventory_stockshare "
    "WHERE units - held - allocated < 0 OR held < 0 OR allocated < 0",
)
add(
    "I3",
    "a flash sale's shares hold what their level says",
    "SELECT l.id::text, l.on_hand, l.pooled, COALESCE(SUM(s.units), 0) FROM inventory_stocklevel l "
    "LEFT JOIN inventory_stockshare s ON s.level_id = l.id GROUP BY l.id "
    "HAVING l.pooled <> COALESCE(SUM(s.units), 0) OR l.on_hand < l.held + l.allocated + l.pooled",
)
add(
    "I3",
    "on_hand is the sum of its moves",
    "SELECT l.id::text, l.on_hand, COALESCE(SUM(m.delta), 0) FROM inventory_stocklevel l "
    "LEFT JOIN inventory_stockmove m ON m.level_id = l.id GROUP BY l.id "
    "HAVING l.on_hand <> COALESCE(SUM(m.delta), 0)",
)
