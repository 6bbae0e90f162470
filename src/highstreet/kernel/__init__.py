"""What everything stands on: money, clock, ids, states, holds, ledger, outbox, idempotency, policy, audit.

No business word appears here. Whatever is scarce is held by `holds`, whatever is owed is posted by
`ledger`, whatever happened is told by `outbox`; each in the caller's transaction.
"""
