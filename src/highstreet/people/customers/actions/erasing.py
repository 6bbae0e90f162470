"""Forget people: themselves, guests by the keys of their orders, and anybody by support."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from highstreet.kernel import clock, ids, privacy
from highstreet.kernel.policy import PUBLIC, Actor, action
from highstreet.kernel.privacy import Person
from highstreet.kernel.refusal import Refused
from highstreet.people.accounts.models import User

from .. import reads
from ..models import Customer, Erasure
from ..ports import order_keys
from ..refusals import NOT_CONFIRMED, NOTHING_TO_ERASE

WORD = "ERASE"


@action("shop.own")
def erase_me(*, actor: Actor, confirm: str) -> int:
    """Erase the actor's account and everything about them; `confirm` is the typed WORD. Returns rows touched.

    Refuses NOT_CONFIRMED, and with the words of whatever is still open (an order, money, work).
    """
    _confirmed(confirm)
    if actor.user_id is None:
        raise Refused(NOTHING_TO_ERASE)
    return _erase(actor, Person(users=(actor.user_id,)))


@action(PUBLIC)
def erase_held(*, actor: Actor, keys: Iterable[str], confirm: str, visitor: UUID | None = None) -> int:
    """Erase the guests whose orders have these keys, or whose browser is `visitor`.

    An account's orders are erased by its owner only.
    """
    _confirmed(confirm)
    found = order_keys().guests(keys)
    if not found and visitor is None:
        raise Refused(NOTHING_TO_ERASE)
    return _erase(actor, Person(tuple(found), (), (visitor,) if visitor else ()))


@action("privacy.serve")
def erase_proved(*, actor: Actor, key: str, phone: str, confirm: str) -> int:
    """Erase whoever asks support and has proved an order by its key and phone number, account and all."""
    _confirmed(confirm)
    person = reads.proved(actor, key, phone)
    return _erase(actor, person)


def _confirmed(typed: str) -> None:
    if typed.strip().upper() != WORD:
        raise Refused(NOT_CONFIRMED, word=WORD)


def _erase(actor: Actor, person: Person) -> int:
    """Users and customers are locked first: a checkout that began before is waited for and seen, a later one waits."""
    with privacy.giving_way():
        return _forget(actor, person)


def _forget(actor: Actor, person: Person) -> int:
    list(User.objects.select_for_update().filter(pk__in=person.users).order_by("pk").values_list("pk", flat=True))
    own = Customer.objects.filter(user_id__in=person.users).values_list("pk", flat=True)
    wanted = sorted({*person.customers, *own})
    list(Customer.objects.select_for_update().filter(pk__in=wanted).order_by("pk").values_list("pk", flat=True))
    done = privacy.erase(replace(person, customers=tuple(wanted)))
    if isinstance(done, tuple):
        reason, count = done
        raise Refused(reason, count=count)
    rows = sum(done.values())
    Erasure.objects.create(
        id=ids.new_id(),
        customers=[str(one) for one in wanted],
        users=[str(one) for one in person.users],
        rows=rows,
        # Who erased themselves is nobody any more.
        actor=actor.name if actor.user_id not in person.users else "self",
        at=clock.now(),
    )
    return rows
