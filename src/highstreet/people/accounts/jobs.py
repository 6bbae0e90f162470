"""Mails, written where they are asked for and sent by a worker.

A mail server that is slow or down is then nobody's wait, and a reset takes as long for an address that nobody has.
"""

from __future__ import annotations

import json

from django.core.mail import EmailMessage
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from highstreet.kernel import queue, sealing

PURPOSE = "mail"


def post(message: EmailMessage) -> None:
    """Have a mail of plain text sent when the caller's transaction commits.

    It waits sealed: it names a person, and it may hold a link that opens their account.
    """
    parts = {"subject": message.subject, "body": message.body, "from_email": message.from_email, "to": message.to}
    queue.defer("accounts.mail", sealed=sealing.seal(PURPOSE, json.dumps(parts, default=str)))


# Tried for an hour: a link that comes later than that has been asked for again.
@app.task(name="accounts.mail", retry=RetryStrategy(max_attempts=8, exponential_wait=3))
def mail(sealed: str) -> None:
    EmailMessage(**json.loads(sealing.unseal(PURPOSE, sealed))).send()
