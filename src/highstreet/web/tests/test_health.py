"""What probes and Prometheus are told: they know a server by its address, the shop's visitors by its name."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
ADDRESS = "10.0.0.7:8000"


@pytest.fixture(autouse=True)
def only_the_shop_by_name(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["shop.example.com"]


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_probes_are_answered_whatever_the_host(client: Client, path: str) -> None:
    assert client.get(path, headers={"Host": ADDRESS}).status_code == 200
    assert client.get(path, headers={"Host": "no host at all"}).status_code == 200


def test_pages_are_for_the_shops_name_only(client: Client) -> None:
    assert client.get("/", headers={"Host": ADDRESS}).status_code == 400
    assert client.get("/readyz/", headers={"Host": ADDRESS}).status_code == 400
    assert client.get("/api/v1/cities", headers={"Host": ADDRESS}).json()["facts"]["problem"] == "Bad Request"


def test_figures_are_for_our_networks_only(client: Client, settings: Any) -> None:
    def asked(address: str, **headers: str) -> int:
        told = {"Host": ADDRESS, **headers}
        return client.get("/metrics", headers=told, REMOTE_ADDR=address).status_code

    assert asked("10.1.2.3") == 404
    settings.METRICS_FROM = [ipaddress.ip_network("10.0.0.0/8")]
    assert asked("10.1.2.3") == 200
    assert asked("10.1.2.3", **{"X-Forwarded-For": "10.1.2.3"}) == 404
    assert asked("192.0.2.1") == 404
