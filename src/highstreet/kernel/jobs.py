"""Jobs of the kernel: deliver one outbox row, retry what failed."""

from __future__ import annotations

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from . import outbox


@app.task(name="kernel.deliver", retry=RetryStrategy(max_attempts=outbox.MAX_FAILURES, exponential_wait=2))
def deliver(delivery_id: int) -> None:
    outbox.deliver(delivery_id)
