"""Time passes: orders that nobody paid."""

from __future__ import annotations

from procrastinate.contrib.django import app

from highstreet.kernel.policy import THE_SYSTEM

from . import actions


# Every 5 seconds of the wall (croniter's sixth field): ten minutes to pay are 10 s in a city at x60.
@app.periodic(cron="* * * * * */5", periodic_id="orders.expire")
@app.task(name="orders.expire", queueing_lock="orders.expire", lock="orders.expire")
def expire(timestamp: int) -> None:
    actions.expire_due(actor=THE_SYSTEM)
