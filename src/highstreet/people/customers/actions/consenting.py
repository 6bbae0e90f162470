"""Say yes or no."""

from __future__ import annotations

from uuid import UUID

from highstreet.kernel import clock, ids
from highstreet.kernel.policy import PUBLIC, Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import NOT_SIGNED_IN

from .. import rules
from ..models import Consent
from ..refusals import UNKNOWN_PURPOSE


@action(PUBLIC)
def consent(*, actor: Actor, purpose: str, given: bool, channel: str, visitor: UUID | None = None) -> None:
    """Write down what the actor says to a purpose; it counts from the next request on.

    A guest is the random number `visitor` that their browser keeps. Refuses UNKNOWN_PURPOSE, and NOT_SIGNED_IN for
    who is neither.
    """
    known = rules.PURPOSES.get(purpose)
    if known is None:
        raise Refused(UNKNOWN_PURPOSE, purpose=purpose[:24])
    subject = actor.user_id or visitor
    if subject is None:
        raise Refused(NOT_SIGNED_IN)
    Consent.objects.create(
        id=ids.new_id(),
        subject=subject,
        purpose=purpose,
        given=given,
        wording=known.wording,
        language=actor.language[:8],
        channel=channel,
        at=clock.now(),
    )
