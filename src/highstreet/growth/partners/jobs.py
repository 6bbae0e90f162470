"""Jobs of partners: send one message; find what is due or was lost with its worker."""

from __future__ import annotations

from uuid import UUID

from procrastinate.contrib.django import app

from highstreet.kernel.policy import THE_SYSTEM

from . import actions


@app.task(name="partners.send")
def send(sending_id: str) -> None:
    actions.send(actor=THE_SYSTEM, sending_id=UUID(sending_id))


# Every 5 seconds of the wall: croniter's sixth field.
@app.periodic(cron="* * * * * */5", periodic_id="partners.sweep")
@app.task(name="partners.sweep", queueing_lock="partners.sweep", lock="partners.sweep")
def sweep(timestamp: int) -> None:
    actions.sweep(actor=THE_SYSTEM)
