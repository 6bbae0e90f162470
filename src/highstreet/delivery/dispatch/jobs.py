"""Jobs of dispatch: what nobody goes on with; once a night what the day's rides teach; a replay that was asked for."""

from __future__ import annotations

from uuid import UUID

from procrastinate.contrib.django import app

from highstreet.kernel.policy import THE_SYSTEM
from highstreet.supply.organisations import reads as organisations

from . import actions, replaying


# Every 5 seconds of the wall (croniter's sixth field): an hour is a minute in a city at ×60.
@app.periodic(cron="* * * * * */5", periodic_id="dispatch.sweep")
@app.task(name="dispatch.sweep", queueing_lock="dispatch.sweep", pass_context=False)
def sweep(timestamp: int) -> None:
    actions.give_up_stuck(actor=THE_SYSTEM)


@app.periodic(cron="17 4 * * *", periodic_id="dispatch.learn")
@app.task(name="dispatch.learn", queueing_lock="dispatch.learn", pass_context=False)
def learn(timestamp: int) -> None:
    for city in organisations.cities():
        actions.learn_speeds(actor=THE_SYSTEM, city_id=city.id)


@app.task(name="dispatch.replay", lock="dispatch.replay")
def replay(replay_id: str) -> None:
    replaying.run(UUID(replay_id))
