"""Workers that die in the middle of their jobs, one after the other, while orders are paid."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

from . import notices
from .stack import Stack, Verdict

# Where a worker dies: within a handler's transaction, after it and before the job is known to be done, and between.
STEPS = (
    "outbox.deliver:growth.partners.handlers.publish",
    "ledger.post:payment_captured",
    "states.payment:capture",
    "outbox.emit:PaymentCaptured",
    "outbox.emit:OrderPaid",
    "holds.confirm",
    "states.order:confirm",
    "action:apply_event",
    "action:payment_captured",
    "queue.defer:kernel.deliver",
)
BACKLOG = (
    "SELECT (SELECT count(*) FROM payments_transactionevent WHERE applied_at IS NULL) "
    "+ (SELECT count(*) FROM kernel_outboxdelivery WHERE done_at IS NULL)"
)
CAPTURED = (
    "SELECT count(*) FROM orders_order o WHERE o.captured = o.total AND o.status = 'confirmed' AND "
    "(SELECT count(*) FROM kernel_journal j WHERE j.cause = o.id AND j.kind = 'payment_captured') = 1"
)


@dataclass(frozen=True)
class Died:
    """`deaths` by the step died at (a plain kill is "kill"), `paid` orders, `once` of them captured exactly once."""

    deaths: dict[str, int]
    paid: int
    once: int
    left: int
    drained: float
    audit: Verdict


async def workers_die(stack: Stack, *, kills: int, seed: int) -> Died:
    """`kills` workers, each with work waiting, each dies at a step or by a kill; then one that lives drains all.

    Every way to die has its turn before one comes again, in an order drawn by `seed`.
    """
    dice, deaths = random.Random(seed), dict[str, int]()
    ways = ("kill", *STEPS)
    plan = [step for _ in range(-(-kills // len(ways))) for step in dice.sample(ways, len(ways))]
    dues = await notices.unpaid_orders(stack, kills * 2, first=900_000)
    for number in range(kills):
        batch = dues[2 * number : 2 * number + 2]
        step = plan[number]
        stack.environment["HIGHSTREET_FAIL"] = "" if step == "kill" else step
        stack.launch("worker")
        await notices.deliver(stack, [notices.genuine(stack, notices.paid(stack, due)) for due in batch])
        died = await asyncio.to_thread(_wait_for_death, stack, 4.0 if step == "kill" else 12.0)
        name = step if died else "kill"
        if not died:
            stack.kill9("worker")
        deaths[name] = deaths.get(name, 0) + 1
    stack.environment["HIGHSTREET_FAIL"] = ""
    stack.launch("worker")
    started = time.monotonic()
    left = await asyncio.to_thread(stack.eventually, BACKLOG, 0, 90.0)
    drained = time.monotonic() - started
    return Died(deaths, len(dues), int(stack.one(CAPTURED)), int(left), drained, stack.audit())


def _wait_for_death(stack: Stack, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if stack.processes["worker"].poll() is not None:
            return True
        time.sleep(0.05)
    return False
