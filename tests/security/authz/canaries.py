"""Texts that stand for what is private, and who may read each: looked for in every answer of the matrix."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.conf import settings

from highstreet.growth.partners.models import ApiKey
from highstreet.people.accounts.models import ApiToken

from .callers import Answer, Caller
from .plots import Plot
from .world import CUSTOMERS, RIDERS, TOTP_SECRET, World

# Whose stores' orders each of the staff may see; the organisation whose owner or key someone is.
AT: dict[str, frozenset[str]] = {
    "picker_a": frozenset({"a1"}),
    "manager_a": frozenset({"a1"}),
    "support_a": frozenset({"a1", "a2", "f"}),
    "ally_a": frozenset({"a1", "a2", "f"}),
    "owner_a": frozenset({"a1", "a2", "f"}),
    "key_a": frozenset({"a1", "a2", "f"}),
    "key_a1": frozenset({"a1"}),
    "owner_f": frozenset({"f"}),
    "picker_b": frozenset({"b"}),
    "manager_b": frozenset({"b"}),
    "support_b": frozenset({"b"}),
    "ally_b": frozenset({"b"}),
    "owner_b": frozenset({"b"}),
    "key_b": frozenset({"b"}),
}
OWNERS: dict[str, frozenset[str]] = {
    "a1": frozenset({"owner_a", "key_a"}),
    "a2": frozenset({"owner_a", "key_a"}),
    "f": frozenset({"owner_f"}),
    "b": frozenset({"owner_b", "key_b"}),
}
ALLIES = {"a1": "ally_a", "a2": "ally_a", "f": "owner_f", "b": "ally_b"}
# What of a plot is its customer's alone, and what is its organisation's; the rest is of those who work on the order.
CUSTOMERS_OWN = ("home", "flat")
# Support gives a customer who proved an order a copy of everything: their own things are in it, what opens them is not.
COPY = "POST /api/v1/privacy/exports"
SERVE = frozenset({"support", "ally", "owner"})
ORGANISATIONS = ("key", "hook", "message")
ORGANISATIONS_IDS = ("api_key", "webhook", "sending", "message", "employee")
FLEETS = ("fleet", "fleetnumber", "fleet_alert")
WORKED_ON = ("order_", "fulfilment_", "order_line_", "line_", "delivery", "journal", "alert")


@dataclass(frozen=True)
class Canary:
    """`what` it is, and who may read it; `secret` is for nobody at a desk either, the superuser included. `copied` are
    those who may give its customer a copy of it."""

    what: str
    readers: frozenset[str]
    secret: bool = False
    copied: frozenset[str] = frozenset()

    def may_be_in(self, answer: Answer) -> bool:
        readers = self.readers | self.copied if answer.route.name == COPY else self.readers
        return answer.caller in readers or (answer.caller == "root" and not self.secret)


@dataclass(frozen=True)
class Sighting:
    """An answer that has what its caller may not read."""

    canary: Canary
    answer: Answer

    def __str__(self) -> str:
        return f"{self.answer.caller} read {self.canary.what} at {self.answer.route.name} [{self.answer.asked[:120]}]"


@dataclass
class Aviary:
    """All canaries by their text."""

    birds: dict[str, Canary] = field(default_factory=dict)

    def add(
        self, text: str, what: str, readers: Iterable[str] = (), *, secret: bool = False, copied: Iterable[str] = ()
    ) -> None:
        assert len(text) >= 6, f"{what} is too short to be looked for"
        self.birds[text] = Canary(what, frozenset(readers), secret, frozenset(copied))

    def sightings(self, answers: Iterable[Answer]) -> list[Sighting]:
        """What the answers have that their callers may not read, but for what the callers sent themselves."""
        longest_first = sorted(self.birds, key=len, reverse=True)
        any_of_them = re.compile("|".join(re.escape(text) for text in longest_first))
        found = []
        for answer in answers:
            for text in set(any_of_them.findall(answer.text)):
                bird = self.birds[text]
                if not bird.may_be_in(answer) and text not in answer.asked:
                    found.append(Sighting(bird, answer))
        return found


def of_world(world: World, callers: dict[str, Caller]) -> Aviary:
    aviary = Aviary()
    for plot in world.plots.values():
        _of_plot(aviary, plot)
    _of_machinery(aviary, world, callers)
    return aviary


def _of_plot(aviary: Aviary, plot: Plot) -> None:
    customer = CUSTOMERS[plot.name]
    staff = [name for name, at in AT.items() if plot.name in at]
    workers = [customer, RIDERS[plot.name], *staff]
    serve = [name for name in staff if name.partition("_")[0] in SERVE]
    for name, text in plot.marks.items():
        if name in CUSTOMERS_OWN:
            aviary.add(text, f"{plot.name}'s {name}", [customer], copied=serve)
        elif name in ("hand", *FLEETS):
            # Whoever reads the trail of what colleagues did sees who they are; the city's manager keeps its fleets.
            aviary.add(text, f"{plot.name}'s {name}", OWNERS[plot.name] | {ALLIES[plot.name]})
        else:
            aviary.add(text, f"{plot.name}'s {name}", OWNERS[plot.name] if name in ORGANISATIONS else workers)
    openid = f"kanari-openid-{plot.name}"
    aviary.add(openid, f"{plot.name}'s payer at the provider", [customer], secret=True, copied=serve)
    for name, text in plot.values.items():
        if name in ORGANISATIONS_IDS:
            aviary.add(text, f"the id of {plot.name}'s {name}", OWNERS[plot.name])
        elif name in FLEETS:
            aviary.add(text, f"the id of {plot.name}'s {name}", OWNERS[plot.name] | {ALLIES[plot.name]})
        elif name.startswith(WORKED_ON):
            aviary.add(text, f"the id of {plot.name}'s {name}", workers)
    for name, text in plot.secrets.items():
        hidden = name.startswith(("webhook", "fleet"))
        aviary.add(text, f"{plot.name}'s secret {name}", [] if hidden else [customer], secret=True)


def _of_machinery(aviary: Aviary, world: World, callers: dict[str, Caller]) -> None:
    """Columns that open something: hashes, digests, sessions, tokens, second factors, the key of all."""
    for name, user in world.users.items():
        aviary.add(user.password.rsplit("$", 1)[-1], f"the password's hash of {name}", secret=True)
    for digest in ApiToken.objects.values_list("digest", flat=True):
        aviary.add(digest, "a token's digest", secret=True)
    for digest in ApiKey.objects.values_list("digest", flat=True):
        aviary.add(digest, "an API key's digest", secret=True)
    for caller in callers.values():
        if caller.session:
            aviary.add(caller.session, f"the session of {caller.name}", [caller.name], secret=True)
        if caller.token:
            aviary.add(caller.token, f"the token of {caller.name}", secret=True)
    aviary.add(TOTP_SECRET, "a second factor's secret", secret=True)
    aviary.add(settings.SECRET_KEY, "the platform's key", secret=True)
