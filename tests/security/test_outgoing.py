"""W3: the server goes to two kinds of addresses, and to those that others choose by one guarded way only.

The guard itself is tried in growth/partners/tests/test_targets.py; here: that nothing goes around it, and that the
product's own path, from the partner's request to the worker's sending, makes no connection.
"""

from __future__ import annotations

import ast
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from highstreet.growth.partners.models import Endpoint
from highstreet.growth.partners.tests.support import Receiver, receiving
from highstreet.growth.partners.tests.test_targets import FORMS
from highstreet.kernel import ids, outward
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.people.accounts.actions import issue_token
from highstreet.web.console.tests.support import Scene
from tests.conftest import Add

SOURCE = Path(__file__).resolve().parents[2] / "src" / "highstreet"
CLIENTS = {"httpx", "requests", "urllib3", "aiohttp", "httpcore", "http.client", "urllib.request", "ftplib", "smtplib",
           "socket", "telnetlib", "paramiko", "websockets", "wechatpayv3"}  # fmt: skip
# Who may speak to the network, and whose address it is.
SPEAKERS = {
    "delivery/routing/travel/outside.py": "the operator's own OSRM or Valhalla, from its configuration",
    "kernel/outward.py": "addresses that partners choose, each checked",
    "trade/payments/wechat/gateway.py": "the payment provider's, from the operator's configuration",
}
# Not the server: the sandbox stands in for a provider, the twin drives the platform from outside.
OUTSIDE = ("twin/", "trade/payments/sandbox/", "delivery/fleets/sandbox/")


def speakers() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        where = str(path.relative_to(SOURCE))
        if "/tests/" in where or where.startswith(OUTSIDE):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
            used = {known for known in CLIENTS for name in names if name == known or name.startswith(f"{known}.")}
            if used:
                found.setdefault(where, set()).update(used)
    return found


def test_nothing_else_speaks_to_the_network() -> None:
    assert set(speakers()) == set(SPEAKERS)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.mark.django_db
def test_no_form_becomes_a_connection(
    scene: Scene, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, row: Add
) -> None:
    """By the API as a partner's owner would, and past it: written into the row and sent by what the worker runs."""
    monkeypatch.setattr(outward, "PORTS", outward.PORTS | {receiver.port})
    token = issue_token(actor=THE_SYSTEM, user_id=scene.owner.pk)
    client = Client(headers={"Authorization": f"Bearer {token}"})
    taken = []
    urls = {form: url.format(port=receiver.port).replace(":8443/", f":{receiver.port}/") for form, url in FORMS.items()}
    for form, url in urls.items():
        body = json.dumps({"url": url, "events": ["order.paid"]})
        headers = {"Idempotency-Key": ids.random_token(12)}
        answer = client.post("/api/v1/partners/webhooks", body, "application/json", headers=headers)
        if answer.status_code != 422:
            taken.append(f"{form}: {answer.status_code} {answer.content[:80]!r}")
        with pytest.raises(outward.Barred):
            outward.outward().post(url, b"{}", {})
    assert taken == [] and not Endpoint.objects.exists()
    assert receiver.connections == 0
    came = sum(arrives(urls[form], receiver) for form in ("plain http", "loopback", "localhost", "zero"))
    assert came == 4
    note = f"control: {came} of 4 forms arrive by a client without the guard"
    row("W3", "webhook addresses that lead inside", n=2 * len(FORMS), accepted=0, refused=2 * len(FORMS), notes=note)


def arrives(url: str, receiver: Receiver) -> bool:
    """The control: what the standard library's client does with the same address."""
    before = receiver.connections
    try:
        urllib.request.urlopen(url.replace("https://", "http://"), data=b"{}", timeout=2)
    except (OSError, urllib.error.URLError, ValueError):
        pass
    return receiver.connections > before
