"""The sandbox's memory: one SQLite file in the state directory. One process, one thread writes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    out_trade_no TEXT PRIMARY KEY, kind TEXT NOT NULL, description TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0), currency TEXT NOT NULL, notify_url TEXT NOT NULL,
    attach TEXT, openid TEXT NOT NULL, expires_unix INTEGER NOT NULL,
    prepay_id TEXT NOT NULL UNIQUE, code TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL, transaction_id TEXT UNIQUE, payer_openid TEXT, success_time TEXT);
CREATE TABLE IF NOT EXISTS refunds (
    out_refund_no TEXT PRIMARY KEY, refund_id TEXT NOT NULL UNIQUE, out_trade_no TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0), reason TEXT NOT NULL, notify_url TEXT NOT NULL,
    state TEXT NOT NULL, due_wall REAL NOT NULL, create_time TEXT NOT NULL, success_time TEXT);
CREATE TABLE IF NOT EXISTS notifications (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, reference TEXT NOT NULL,
    event_type TEXT NOT NULL, url TEXT NOT NULL, body BLOB NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, next_wall REAL NOT NULL, state TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS notifications_due ON notifications (state, next_wall);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, notification_id TEXT NOT NULL, kind TEXT NOT NULL,
    try INTEGER NOT NULL, at_wall REAL NOT NULL, status INTEGER, error TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS nonces (nonce TEXT PRIMARY KEY, at_wall REAL NOT NULL);
"""


class Store:
    """Rows in and out; every method is one transaction. The caller decides what is allowed."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def _all(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        return [dict(row) for row in self._db.execute(sql, values)]

    def _one(self, sql: str, *values: object) -> Row | None:
        found = self._db.execute(sql, values).fetchone()
        return dict(found) if found is not None else None

    def add_order(self, row: Row) -> None:
        self._db.execute(
            "INSERT INTO orders (out_trade_no, kind, description, amount, currency, notify_url, attach,"
            " openid, expires_unix, prepay_id, code, state) VALUES (:out_trade_no, :kind, :description,"
            " :amount, :currency, :notify_url, :attach, :openid, :expires_unix, :prepay_id, :code, 'NOTPAY')",
            row,
        )

    def order(self, out_trade_no: str) -> Row | None:
        return self._one("SELECT * FROM orders WHERE out_trade_no = ?", out_trade_no)

    def order_by_transaction(self, transaction_id: str) -> Row | None:
        return self._one("SELECT * FROM orders WHERE transaction_id = ?", transaction_id)

    def order_by_code(self, code: str) -> Row | None:
        """By `prepay_id` or by the code of a QR picture."""
        return self._one("SELECT * FROM orders WHERE prepay_id = ? OR code = ?", code, code)

    def move_order(self, out_trade_no: str, before: str, after: str) -> bool:
        """Whether the order was in `before` and is now in `after`."""
        changed = self._db.execute(
            "UPDATE orders SET state = ? WHERE out_trade_no = ? AND state = ?", (after, out_trade_no, before)
        )
        return changed.rowcount == 1

    def mark_paid(self, out_trade_no: str, transaction_id: str, openid: str, success_time: str) -> bool:
        changed = self._db.execute(
            "UPDATE orders SET state = 'SUCCESS', transaction_id = ?, payer_openid = ?, success_time = ?"
            " WHERE out_trade_no = ? AND state = 'NOTPAY'",
            (transaction_id, openid, success_time, out_trade_no),
        )
        return changed.rowcount == 1

    def add_refund(self, row: Row) -> None:
        self._db.execute(
            "INSERT INTO refunds (out_refund_no, refund_id, out_trade_no, amount, reason, notify_url, state,"
            " due_wall, create_time) VALUES (:out_refund_no, :refund_id, :out_trade_no, :amount, :reason,"
            " :notify_url, 'PROCESSING', :due_wall, :create_time)",
            row,
        )

    def refund(self, out_refund_no: str) -> Row | None:
        return self._one("SELECT * FROM refunds WHERE out_refund_no = ?", out_refund_no)

    def refunded_total(self, out_trade_no: str) -> int:
        """Fen of all refunds of this order, those under way included."""
        row = self._one("SELECT coalesce(sum(amount), 0) AS fen FROM refunds WHERE out_trade_no = ?", out_trade_no)
        return int(row["fen"]) if row else 0

    def refunds_due(self, now_wall: float) -> list[Row]:
        return self._all("SELECT * FROM refunds WHERE state = 'PROCESSING' AND due_wall <= ?", (now_wall,))

    def finish_refund(self, out_refund_no: str, success_time: str) -> bool:
        changed = self._db.execute(
            "UPDATE refunds SET state = 'SUCCESS', success_time = ? WHERE out_refund_no = ? AND state = 'PROCESSING'",
            (success_time, out_refund_no),
        )
        return changed.rowcount == 1

    def remember_nonce(self, nonce: str, now_wall: float, keep_seconds: float) -> bool:
        """False when the nonce was seen within `keep_seconds`."""
        self._db.execute("DELETE FROM nonces WHERE at_wall < ?", (now_wall - keep_seconds,))
        changed = self._db.execute("INSERT OR IGNORE INTO nonces VALUES (?, ?)", (nonce, now_wall))
        return changed.rowcount == 1

    def add_notification(self, row: Row) -> None:
        self._db.execute(
            "INSERT INTO notifications (id, reference, event_type, url, body, next_wall, state)"
            " VALUES (:id, :reference, :event_type, :url, :body, :next_wall, :state)",
            row,
        )

    def notifications_due(self, now_wall: float, limit: int) -> list[Row]:
        return self._all(
            "SELECT * FROM notifications WHERE state = 'pending' AND next_wall <= ? ORDER BY next_wall LIMIT ?",
            (now_wall, limit),
        )

    def set_notification(self, notification_id: str, tries: int, next_wall: float, state: str) -> None:
        self._db.execute(
            "UPDATE notifications SET tries = ?, next_wall = ?, state = ? WHERE id = ?",
            (tries, next_wall, state, notification_id),
        )

    def log_delivery(
        self, notification_id: str, kind: str, attempt: int, at_wall: float, status: int | None, error: str
    ) -> None:
        self._db.execute(
            "INSERT INTO deliveries (notification_id, kind, try, at_wall, status, error) VALUES (?, ?, ?, ?, ?, ?)",
            (notification_id, kind, attempt, at_wall, status, error),
        )

    def notifications(self, limit: int) -> list[Row]:
        """The latest, without bodies."""
        return self._all(
            "SELECT seq, id, reference, event_type, url, tries, next_wall, state FROM notifications"
            " ORDER BY seq DESC LIMIT ?",
            (limit,),
        )

    def deliveries(self, limit: int) -> list[Row]:
        return self._all("SELECT * FROM deliveries ORDER BY seq DESC LIMIT ?", (limit,))
