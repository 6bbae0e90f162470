"""Jobs of the kernel: deliver one outbox row; look after what was lost with its worker; forget what is old."""

from __future__ import annotations

from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from . import outbox, privacy, working


@app.task(name="kernel.deliver", retry=RetryStrategy(max_attempts=outbox.MAX_FAILURES, exponential_wait=2))
def deliver(delivery_id: int) -> None:
    outbox.deliver(delivery_id)


@app.periodic(cron="* * * * * */30", periodic_id="kernel.redeliver")
@app.task(name="kernel.redeliver", pass_context=False, queueing_lock="kernel.redeliver")
def redeliver(timestamp: int) -> None:
    outbox.redeliver()


# Every ten minutes of the wall, so that the shortest period (a courier's position) is kept to.
@app.periodic(cron="*/10 * * * *", periodic_id="kernel.forget")
@app.task(name="kernel.forget", pass_context=False, queueing_lock="kernel.forget", lock="kernel.forget")
def forget(timestamp: int) -> None:
    privacy.enforce()


# No lock: it must run when whoever held one has died.
@app.periodic(cron="* * * * * */5", periodic_id="kernel.rescue")
@app.task(name="kernel.rescue", pass_context=True, queueing_lock="kernel.rescue")
async def rescue(context: JobContext, timestamp: int) -> None:
    await working.rescue(context.app.job_manager)
