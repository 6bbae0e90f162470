"""Once a night: what the day's rides teach."""

from __future__ import annotations

from procrastinate.contrib.django import app

from highstreet.kernel.policy import THE_SYSTEM
from highstreet.supply.organisations import reads as organisations

from . import actions


@app.periodic(cron="17 4 * * *", periodic_id="dispatch.learn")
@app.task(name="dispatch.learn", queueing_lock="dispatch.learn", pass_context=False)
def learn(timestamp: int) -> None:
    for city in organisations.cities():
        actions.learn_speeds(actor=THE_SYSTEM, city_id=city.id)
