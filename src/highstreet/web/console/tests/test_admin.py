"""The admin's records: every list and page opens, what actions own cannot be touched, secrets are not shown."""

from __future__ import annotations

from typing import Any, cast

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import reverse

from highstreet.kernel.policy import NOBODY
from highstreet.kernel.records import ReadAdmin
from highstreet.people.accounts.actions import issue_token
from highstreet.supply.organisations.models import Organisation
from highstreet.trade.fulfilment.models import Fulfilment
from highstreet.trade.orders.models import Order
from highstreet.web.console.tests.support import a_scene, an_order, client_of

pytestmark = pytest.mark.django_db
OWN = [model for model in admin.site._registry if model.__module__.startswith("highstreet.")]


def test_every_record_opens() -> None:
    scene = a_scene()
    an_order(scene)
    an_order(scene, mode="pickup", status="ready")
    scene.owner.is_staff = scene.owner.is_superuser = True
    scene.owner.save()
    client = client_of(scene.owner)
    secrets = [*Order.objects.values_list("key", flat=True)]
    assert client.get("/admin/").status_code == 200
    for model in OWN:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        seen = client.get(reverse(f"{name}_changelist"), {"q": "a"})
        assert seen.status_code == 200, name
        row = model._default_manager.first()
        text = client.get(reverse(f"{name}_changelist")).content.decode()
        if row is not None:
            answer = client.get(reverse(f"{name}_change", args=[row.pk]))
            assert answer.status_code == 200, name
            text += answer.content.decode()
        assert not [secret for secret in secrets if secret in text], name
    code = Fulfilment.objects.get(mode="pickup").pickup_code.code
    assert code not in client.get(reverse("admin:fulfilment_fulfilment_changelist")).content.decode()


def test_what_actions_own_is_only_read() -> None:
    kept = {"User", "Organisation", "City", "Place", "Store", "Category", "Product", "Variant", "Employee", "Courier"}
    # Rules of work and pay are written here by hand.
    kept |= {"WorkRule", "EarningRule"}
    request = cast(Any, RequestFactory().get("/"))
    request.user = a_scene().owner
    request.user.is_superuser = True
    for model in OWN:
        room = admin.site._registry[model]
        assert not room.has_delete_permission(request)
        assert isinstance(room, ReadAdmin) is (model.__name__ not in kept), model
        if isinstance(room, ReadAdmin):
            assert not room.has_add_permission(request) and not room.has_change_permission(request)


def test_terms_are_checked() -> None:
    scene = a_scene()
    scene.owner.is_staff = scene.owner.is_superuser = True
    scene.owner.save()
    row = Organisation.objects.get(pk=scene.city.retailer_id)
    address = reverse("admin:organisations_organisation_change", args=[row.pk])
    form = {"code": row.code, "kind": row.kind, "name_zh": row.name_zh, "name_en": row.name_en, "parent": ""}
    client = client_of(scene.owner)
    assert client.post(address, {**form, "policy": '{"late_credit": -5}'}).status_code == 200
    assert client.post(address, {**form, "policy": '{"late_credit": 800}'}).status_code == 302
    row.refresh_from_db()
    assert row.policy == {"late_credit": 800}


def test_staff_without_a_flag_do_not_enter() -> None:
    assert client_of(a_scene().owner).get("/admin/").status_code == 302


def test_a_courier_who_is_switched_off_is_signed_out_everywhere() -> None:
    scene = a_scene()
    scene.owner.is_staff = scene.owner.is_superuser = True
    scene.owner.save()
    rider = scene.couriers[0]
    token = issue_token(actor=NOBODY, user_id=rider.user_id)
    headers = {"Authorization": f"Bearer {token}"}
    assert Client().get("/api/v1/courier/me", headers=headers).status_code == 200
    address = reverse("admin:couriers_courier_change", args=[rider.pk])
    form = {name: getattr(rider, name) for name in ("id", "name", "phone", "vehicle", "capacity")}
    form |= {"user": rider.user_id, "city": rider.city_id}
    assert client_of(scene.owner).post(address, {**form, "active": "on", "capacity": 4}).status_code == 302
    assert Client().get("/api/v1/courier/me", headers=headers).status_code == 200
    assert client_of(scene.owner).post(address, form).status_code == 302
    assert Client().get("/api/v1/courier/me", headers=headers).status_code == 401
