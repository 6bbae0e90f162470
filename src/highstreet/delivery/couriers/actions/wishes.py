"""What a courier says of their own time, for whoever plans next."""

from __future__ import annotations

from uuid import UUID

from highstreet.kernel import clock, ids
from highstreet.kernel.policy import Actor, action
from highstreet.kernel.refusal import Refused
from highstreet.kernel.refusals import INVALID, NOT_FOUND
from highstreet.supply.organisations import reads as organisations

from .. import held, rules
from ..models import Wish
from ..reads.roster import YEARS
from ..reads.wishes import MOST_WISHES
from ..refusals import DAY_PAST, TOO_MANY_WISHES


@action("courier.work")
def wish(*, actor: Actor, said: rules.Wish) -> UUID:
    """Say that one wants to work then, would rather not, or cannot; of the same time the last word counts. Returns it.

    It counts for what is planned from now on: shifts that one has stay one's own. Refused: INVALID for what is no time,
    DAY_PAST, TOO_MANY_WISHES.
    """
    courier = held.courier(actor)
    if not said.sane() or (said.day and not YEARS[0] <= said.day.year <= YEARS[1]):
        raise Refused(INVALID, field="from, to, weekday, day", problem="00:00…24:00, from < to")
    today = clock.now().astimezone(organisations.city(courier.city_id).zone).date()
    if said.day and said.day < today:
        raise Refused(DAY_PAST)
    # Dates that are over say nothing any more: they go when the next is said.
    own = Wish.objects.filter(courier_id=courier.pk)
    own.filter(day__lt=today).delete()
    row = own.filter(weekday=said.weekday, day=said.day, from_minute=said.start, to_minute=said.end).first()
    if row is not None:
        own.filter(pk=row.pk).update(kind=said.kind)
        return row.pk
    # The courier's row is held: of many at once, each sees those before it.
    if own.count() >= MOST_WISHES:
        raise Refused(TOO_MANY_WISHES, most=MOST_WISHES)
    made = Wish.objects.create(
        id=ids.new_id(),
        courier_id=courier.pk,
        kind=said.kind,
        weekday=said.weekday,
        day=said.day,
        from_minute=said.start,
        to_minute=said.end,
    )
    return made.pk


@action("courier.work")
def unwish(*, actor: Actor, wish_id: UUID) -> None:
    """Take it back; NOT_FOUND where it is another's, or was taken back."""
    gone, _ = Wish.objects.filter(pk=wish_id, courier_id=held.courier(actor).pk).delete()
    if not gone:
        raise Refused(NOT_FOUND)
