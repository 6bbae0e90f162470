"""Time passes: unanswered questions, orders that nobody answers, packs or collects."""

from __future__ import annotations

from procrastinate.contrib.django import app

from highstreet.kernel.policy import THE_SYSTEM

from . import actions


# Every 5 seconds of the wall (croniter's sixth field): two asked minutes are 2 s in a city at ×60.
@app.periodic(cron="* * * * * */5", periodic_id="fulfilment.sweep")
@app.task(name="fulfilment.sweep", queueing_lock="fulfilment.sweep", pass_context=False)
def sweep(timestamp: int) -> None:
    actions.lapse_unanswered(actor=THE_SYSTEM)
    actions.give_up_unanswered(actor=THE_SYSTEM)
    actions.give_up_unpacked(actor=THE_SYSTEM)
    actions.give_up_uncollected(actor=THE_SYSTEM)
