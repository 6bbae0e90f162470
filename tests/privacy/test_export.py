"""G1: a person gets everything that is known of them, and nothing of anybody else's."""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from highstreet.kernel import ids, privacy
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.kernel.privacy import Person, catalogue, persons
from highstreet.people.accounts import actions as accounts
from highstreet.people.accounts.models import User
from highstreet.people.staff.models import Employee
from highstreet.trade.orders.models import Order
from highstreet.trade.orders.tests.support import Town
from tests.conftest import Add

from .life import TYPED, Life, begin, live

pytestmark = pytest.mark.django_db
# In the export no less than these have rows, for who has done everything.
MUST = (
    "accounts_user",
    "account_emailaddress",
    "cart_cart",
    "customers_address",
    "customers_consent",
    "customers_customer",
    "dispatch_delivery",
    "django_session",
    "fulfilment_fulfilment",
    "kernel_idempotencyrecord",
    "kernel_journal",
    "kernel_outboxevent",
    "kernel_posting",
    "orders_order",
    "orders_orderline",
    "orders_quote",
    "partners_message",
    "payments_paymentintent",
    "payments_refund",
    "payments_transactionevent",
    "promise_promise",
    "reviews_review",
)


def opened(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: json.loads(archive.read(name)) for name in archive.namelist()}


def test_everything_is_in_it(town: Town, client: Client, row: Add) -> None:
    life = begin(town, client)
    live(life)
    other = begin(town, Client(), "another")
    theirs = other.place()
    began = time.monotonic()
    answer = life.api.get("/api/v1/me/data", headers=life.headers)
    files = opened(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    took = time.monotonic() - began
    assert answer["Content-Type"] == "application/zip" and answer["Cache-Control"] == "no-store"
    assert set(files) == {f"{name}.json" for name in privacy.tables()} | {"index.json"}
    assert [name for name in MUST if not files[f"{name}.json"]] == []
    text = json.dumps(files, ensure_ascii=False)
    assert [word for word in TYPED.values() if word not in text] == []
    assert str(theirs.pk) not in text and theirs.key not in text and str(other.user) not in text
    assert "pbkdf2" not in text and "digest" not in json.dumps(files["accounts_apitoken.json"])
    _complete(life, files)
    index = {one["file"]: one for one in files["index.json"]["files"]}
    assert all(index[f"{name}.json"]["rows"] == len(files[f"{name}.json"]) for name in privacy.tables())
    rows = sum(len(found) for name, found in files.items() if name != "index.json")
    row("G1", f"export: {len(index)} tables", n=rows, accepted=rows, refused=0, notes=f"{took:.2f} s")
    assert took < 60


def _complete(life: Life, files: dict[str, Any]) -> None:
    """Every row that a foreign key leads to from the person is in it, by the catalogue and not by the register."""
    actor = life.actor
    known = {"customers_customer": {str(actor.customer_id)}, "accounts_user": {str(life.user)}}
    personal = privacy.tables()
    for _ in range(4):
        for key in catalogue.references():
            if key.target in known and key.table in personal and key.key == "id":
                with connection.cursor() as cursor:
                    cursor.execute(
                        f"SELECT to_jsonb(t)->>'id' FROM {key.table} t WHERE t.{key.column}::text = ANY(%s)",  # noqa: S608
                        [sorted(known[key.target])],
                    )
                    known.setdefault(key.table, set()).update(row[0] for row in cursor.fetchall() if row[0])
    for table, wanted in known.items():
        given = {str(one["id"]) for one in files[f"{table}.json"] if "id" in one}
        assert wanted <= given, table
    assert len(known) >= 12


def test_support_gives_it_to_who_proves_an_order(town: Town, client: Client) -> None:
    life = begin(town, client)
    order = life.place()
    boss = accounts.create_user(actor=THE_SYSTEM, username="boss", password="x")
    staff = Employee.objects.create(user_id=boss, organisation_id=town.retailer, role="support", name="S")
    token = accounts.issue_token(actor=THE_SYSTEM, user_id=boss)

    def ask(path: str, **body: str) -> Any:
        return Client().post(
            f"/api/v1/privacy/{path}",
            json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": ids.random_token(20)},
        )

    proof = {"order_key": order.key, "phone": TYPED["phone"]}
    files = opened(b"".join(ask("exports", **proof).streaming_content))
    assert [one["id"] for one in files["orders_order.json"]] == [str(order.pk)]
    assert ask("exports", order_key=order.key, phone="13900000000").status_code == 404
    assert ask("exports", order_key="0" * 32, phone=TYPED["phone"]).status_code == 404
    assert ask("erasures", **proof, confirm="ERASE").status_code == 409
    Employee.objects.filter(pk=staff.pk).update(role="picker")
    assert ask("exports", **proof).status_code == 403
    Employee.objects.filter(pk=staff.pk).update(role="support")
    Order.objects.filter(pk=order.pk).update(status="cancelled")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE payments_paymentintent SET status = 'closed'")
        cursor.execute("UPDATE kernel_outboxdelivery SET done_at = now()")
    assert ask("erasures", **proof, confirm="ERASE").status_code == 200
    assert not User.objects.filter(pk=life.user).exists()
    assert ask("exports", **proof).status_code == 404


def test_a_person_without_anything_gets_an_empty_one() -> None:
    with privacy.export(Person()) as file:
        files = opened(file.read())
    assert sum(len(found) for name, found in files.items() if name != "index.json") == 0
    assert persons.scopes(Person())["traces"] == []
