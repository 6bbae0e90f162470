"""What the doctor finds: each trouble is made, found, and told in both languages with what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from django.utils import translation

from highstreet.delivery.couriers.tests import support
from highstreet.kernel import heartbeat
from highstreet.kernel.models import Heartbeat
from highstreet.ops import doctor
from highstreet.supply.organisations import reads as organisations

pytestmark = pytest.mark.django_db


def a_city() -> str:
    return organisations.city(support.town().city_id).code


def says(text: str) -> list[doctor.Finding]:
    with translation.override("en"):
        return [one for one in doctor.examine() if text in one.says]


def test_a_healthy_installation_has_nothing_serious_but_what_is_missing_here() -> None:
    heartbeat.beat(f"dispatch {a_city()}", seconds=0.12)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")
    with override_settings(SECRET_KEY="x" * 50, RATE="1", DEV=False), translation.override("en"):
        found = doctor.examine()
    assert [one.says for one in found if one.serious] == []
    assert any("last turn took 0.12 s" in one.says for one in found)


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ({"DEBUG": True}, "DEBUG is on"),
        ({"SECRET_KEY": "only-for-tests-and-the-demo"}, "secret key is the demo's"),
        ({"ALLOWED_HOSTS": ["*"]}, "Any host name"),
        ({"RATE": "off"}, "Rate limits are off"),
        ({"DEV": True}, "HIGHSTREET_DEV is on"),
    ],
)
def test_a_setting_that_is_dangerous_is_found(setting: dict[str, object], text: str) -> None:
    with override_settings(**setting):
        found = says(text)
    assert [one.serious for one in found] == [True]
    assert found[0].remedy


def test_passwords_that_may_be_guessed_are_found() -> None:
    with override_settings(AXES_ENABLED=False):
        assert [one.mark for one in says("guessed without end")] == ["look"]
    with override_settings(AXES_ENABLED=True):
        assert says("guessed without end") == []


def test_static_files_that_are_not_this_versions_are_found(tmp_path: Path) -> None:
    manifest = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}
    with override_settings(STATIC_ROOT=tmp_path, STORAGES={**settings.STORAGES, **manifest}):
        assert says("static files are not those of this version")[0].serious
        call_command("collectstatic", interactive=False, verbosity=0)
        assert says("Static files are collected.")[0].mark == "ok"
        (tmp_path / "ui/admin.css").write_text("/* of the version before */")
        assert says("1 static files are not those of this version")[0].serious
    assert says("tatic files") == []


def test_what_has_stopped_is_found() -> None:
    here, there = a_city(), a_city()
    heartbeat.beat(f"dispatch {here}", seconds=0.1)
    heartbeat.beat("audit", broken=2)
    long_ago = datetime.now(tz=UTC) - timedelta(days=3)
    assert says(f"Nobody dispatches in {there}.")[0].serious
    Heartbeat.objects.update(at=long_ago)
    assert says(f"Nobody dispatches in {', '.join(sorted((here, there)))}.")[0].serious
    assert says("No worker runs")[0].serious
    assert says("broken invariants")[0].serious
    assert says("Last backup: never")
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations "
            "WHERE app = 'kernel' AND name = (SELECT max(name) FROM django_migrations WHERE app = 'kernel')"
        )
    assert says("migrations are not applied")[0].serious


def test_it_is_told_in_chinese_too() -> None:
    with translation.override("zh-hans"):
        found = doctor.examine()
    assert any("没有任务进程" in one.says and "highstreet worker" in one.remedy for one in found)


def test_a_check_that_breaks_is_a_finding_and_the_others_go_on() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE partners_endpoint CASCADE")
    assert says("webhooks")[0].serious
    assert says("Last backup")
