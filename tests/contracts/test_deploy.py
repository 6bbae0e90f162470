"""The files in deploy/ say what is true: commands that exist, variables that are read, units that systemd takes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from highstreet.cli import _parser

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SERVICE_KEYS = {
    *("image", "build", "env_file", "restart", "init", "read_only", "tmpfs", "cap_drop", "security_opt", "depends_on"),
    *("environment", "command", "volumes", "shm_size", "healthcheck", "stop_grace_period", "deploy", "ports"),
}
# Read by tests, the demo and the server's own processes; no installation sets them.
INTERNAL = {
    "HIGHSTREET_TEST_PG",
    "HIGHSTREET_CHECK_WAIT",
    "HIGHSTREET_CLOCK",
    "HIGHSTREET_DEV",
    "HIGHSTREET_RUN",
    "HIGHSTREET_SLOTS",
    "HIGHSTREET_FAIL",
    "HIGHSTREET_FAIL_TRACE",
}


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


def test_every_service_runs_a_command_that_exists() -> None:
    services = compose()["services"]
    ours = {name: one for name, one in services.items() if one["image"] == "highstreet"}
    assert set(ours) == {"migrate", "web", "streams", "worker", "dispatch"}
    for name, one in ours.items():
        assert _parser().parse_args(one["command"]).command, name
    for name, one in services.items():
        assert set(one) <= SERVICE_KEYS, name
        for other in one.get("depends_on", []):
            assert other in services, (name, other)
    for name in ("web", "worker", "dispatch"):
        assert services[name]["deploy"]["replicas"] >= 2, name


def test_only_the_database_and_the_proxy_keep_anything() -> None:
    found = compose()
    keeping = {name for name, one in found["services"].items() if one.get("volumes")}
    assert keeping == {"db", "proxy"}
    for name, one in found["services"].items():
        for volume in one.get("volumes", []):
            source = volume.split(":")[0]
            assert source in found["volumes"] or (DEPLOY / source).exists(), (name, volume)


def test_a_server_has_time_to_drain() -> None:
    web = compose()["services"]["web"]
    drain = _parser().parse_args(web["command"]).drain
    health = int(re.search(r"health_interval (\d+)s", (DEPLOY / "Caddyfile").read_text())[1])  # type: ignore[index]
    assert drain >= 2 * health
    assert int(web["stop_grace_period"].rstrip("s")) > drain + 40


def test_the_proxy_hides_what_is_not_public_and_reaches_both_servers() -> None:
    text = (DEPLOY / "Caddyfile").read_text()
    assert re.search(r"@private path [^\n]*/metrics", text)
    ports = {
        name: str(_parser().parse_args(compose()["services"][name]["command"]).port) for name in ("web", "streams")
    }
    for name, port in ports.items():
        assert f"dynamic a {name} {port}" in text
    assert text.count("{") == text.count("}")


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    source = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py") if "/tests/" not in str(path))
    read = set(re.findall(r"[\"'](HIGHSTREET_[A-Z_]+|OTEL_[A-Z_]+|DATABASE_URL)[\"']", source)) - INTERNAL
    documented = set(re.findall(r"^([A-Z_]+)=", (DEPLOY / "highstreet.env.example").read_text(), re.M))
    assert read == documented


def test_the_image_is_made_from_the_locks() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert "--require-hashes -r requirements/base.txt" in text
    assert re.search(r"^USER highstreet$", text, re.M)
    arguments = re.findall(r"^CMD \[(.*)\]", text, re.M)[-1].replace('"', "").split(", ")
    assert _parser().parse_args(arguments).drain > 0
    for copied in re.findall(r"^COPY (?!--)(.*) \S+$", text, re.M):
        for name in copied.split():
            assert (ROOT / name).exists(), name


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    commands = re.findall(r"ExecStart=.*?/bin/highstreet (\S+)", "".join(one.read_text() for one in units()))
    assert {"%i", "migrate", "backup"} <= set(commands)
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd here")
    for unit in units():
        text = unit.read_text().replace("/opt/highstreet/bin/highstreet", "/bin/true")
        (tmp_path / unit.name.replace("@.", "@web.")).write_text(text)
        (tmp_path / unit.name).write_text(text)
    for name in ("streams", "worker", "dispatch"):
        shutil.copy(tmp_path / "highstreet@.service", tmp_path / f"highstreet@{name}.service")
    said = subprocess.run(
        [
            "systemd-analyze",
            "verify",
            "--man=no",
            *sorted(str(one) for one in tmp_path.glob("highstreet*") if "@." not in one.name),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    about_ours = [line for line in said.stderr.splitlines() if "highstreet" in line and "not found" not in line]
    assert said.returncode == 0, said.stderr
    assert about_ours == []


def units() -> list[Path]:
    return sorted((DEPLOY / "systemd").glob("highstreet*"))
