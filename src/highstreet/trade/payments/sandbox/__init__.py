"""The provider sandbox that we ship: a small real server that speaks WeChat Pay APIv3, with a phone.

It signs, encrypts, refuses, retries and forgets as the documents say, so that the shop runs the same code
against it as in production; only `base_url` differs. Money in it is not money. Nothing imports it but
tests and the simulated city; `python -m highstreet.trade.payments.sandbox` starts it.
"""
