"""Pure decisions about payments: what must match, when to ask again, which account stands for a provider."""

from __future__ import annotations

from datetime import datetime, timedelta

WECHAT = "wechat"
AT_PICKUP = "at_pickup"
AT_DOOR = "at_door"
CASH = (AT_PICKUP, AT_DOOR)
# Of cash at the door, what goes back: what comes is the courier's to hand in first.
ACCOUNTS = {WECHAT: "provider_wechat", AT_PICKUP: "store_cash", AT_DOOR: "store_cash"}
COURIER_CASH = "courier_cash"
FRESH_SECONDS = 20
ASK_SECONDS = 5
OLD_SECONDS = 300
OLD_ASK_SECONDS = 60
GIVE_UP_SECONDS = 300
LEAST_LIFE_SECONDS = 60


def difference(asked: tuple[int, str], told: tuple[int, str]) -> str:
    """How (amount in fen, currency) as told differs from what we asked: "" when it does not."""
    if told[1] != asked[1]:
        return "currency"
    return "" if told[0] == asked[0] else "amount"


def ask_again(age: timedelta, since_asked: timedelta | None) -> bool:
    """Is it time to ask the provider about an open payment? `age` since it was created, both in wall time.

    Young ones every 5 s, those older than five minutes every minute.
    """
    wait = ASK_SECONDS if age.total_seconds() < OLD_SECONDS else OLD_ASK_SECONDS
    return since_asked is None or since_asked.total_seconds() >= wait


def try_again(tries: int, since_tried: timedelta | None) -> bool:
    """Is it time to look after an open refund again? After 5, 10, 20 … at most 300 s of wall time."""
    wait = min(ASK_SECONDS * 2 ** min(max(tries - 1, 0), 10), OLD_SECONDS)
    return since_tried is None or since_tried.total_seconds() >= wait


def provider_expiry(wall: datetime, remaining_seconds: float) -> datetime:
    """When the provider shall end a payment, by its own clock; it wants at least a minute."""
    return wall + timedelta(seconds=max(LEAST_LIFE_SECONDS, remaining_seconds))
