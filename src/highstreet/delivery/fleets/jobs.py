"""Jobs of fleets: apply a callback, make a call; and the sweep for what was lost or is due."""

from __future__ import annotations

from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from highstreet.kernel.policy import THE_SYSTEM

from . import actions

RETRY = RetryStrategy(max_attempts=8, exponential_wait=2)


@app.task(name="fleets.apply", retry=RETRY)
def apply(event_id: str) -> None:
    actions.apply_event(actor=THE_SYSTEM, event_id=UUID(event_id))


@app.task(name="fleets.call")
def call(order_id: str) -> None:
    actions.call(actor=THE_SYSTEM, order_id=UUID(order_id))


# Every 5 seconds of the wall: croniter's sixth field.
@app.periodic(cron="* * * * * */5", periodic_id="fleets.sweep")
@app.task(name="fleets.sweep", queueing_lock="fleets.sweep", lock="fleets.sweep")
def sweep(timestamp: int) -> None:
    actions.look_after(actor=THE_SYSTEM)
