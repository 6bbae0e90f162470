"""What docs/partners.md tells partners is what we do: its snippet verifies, its table and its scopes are ours."""

from __future__ import annotations

import re
from typing import Any

import pytest

from highstreet.growth.partners import payloads, rules
from highstreet.people.staff.policy import SCOPES

from .test_house import ROOT

PAGE = (ROOT / "docs" / "partners.md").read_text()


def test_the_snippet_verifies_what_our_sender_signs() -> None:
    found = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert found
    room: dict[str, Any] = {}
    exec(found[1], room)
    old, new = rules.secret_of(b"o" * 32), rules.secret_of(b"n" * 32)
    body = '{"type":"order.paid","name":"牛奶"}'.encode()
    headers = {"webhook-id": "evt_1", "webhook-timestamp": "1000"}
    headers["webhook-signature"] = rules.signature([new, old], "evt_1", 1000, body)
    for secret in (old, new):
        assert room["verify"](secret, headers, body, 1299)["name"] == "牛奶"
    for secret, told, sent, now in (
        (rules.secret_of(b"x" * 32), headers, body, 1000),
        (new, headers, body + b" ", 1000),
        (new, {**headers, "webhook-id": "evt_2"}, body, 1000),
        (new, headers, body, 1301),
    ):
        with pytest.raises(ValueError):
            room["verify"](secret, told, sent, now)


def test_the_table_and_the_scopes_are_ours() -> None:
    assert re.findall(r"^\| `([a-z.]+)` \|", PAGE, re.MULTILINE) == [kind.name for kind in payloads.KINDS]
    named = PAGE[PAGE.index("Scopes:") : PAGE.index("Nobody gives away")]
    assert set(re.findall(r"`([a-z_.]+)`", named)) == SCOPES
