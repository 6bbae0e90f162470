"""The register in words, for the export's index and for docs/privacy.md."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from .register import Table, places, tables

PURPOSES = {
    "account": _("To let you sign in and keep your things for you"),
    "order": _("To prepare and bring what you ordered"),
    "delivery": _("To find your door and prove that it was delivered"),
    "payment": _("To take payment and give money back"),
    "books": _("To keep the books that the law asks for"),
    "consent": _("To prove what you agreed to"),
    "review": _("To show what people think of a store"),
    "security": _("To keep strangers out of your account"),
    "machinery": _("To do every step of an order exactly once"),
    "work": _("To plan work and to pay for it"),
}


def how_long(table: Table) -> str:
    """The periods of a table, in words."""
    return "; ".join(period.says for period in table.periods) or "as long as the account"


def what_stays(table: Table) -> str:
    """What an erasure does with a table's rows."""
    if table.delete and not table.keeps:
        return "deleted"
    done = "deleted where nothing kept refers to it; else " if table.delete else ""
    blanked = f"blank: {', '.join(sorted(table.blank))}; " if table.blank else ""
    return f"{done}{blanked}stays: {table.keeps}"


def as_markdown() -> Iterator[str]:
    """The register as tables."""
    yield "| table | whose | purpose | in the export, without | on erasure | kept |"
    yield "|---|---|---|---|---|---|"
    for name, table in sorted(tables().items()):
        hidden = ", ".join(table.secret) or "-"
        whose = ", ".join(table.whose)
        yield f"| {name} | {whose} | {table.purpose} | {hidden} | {what_stays(table)} | {how_long(table)} |"
    yield ""
    yield "| outside the database | what | until |"
    yield "|---|---|---|"
    for place in places():
        yield f"| {place.name} | {place.holds} | {place.until} |"
