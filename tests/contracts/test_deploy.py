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
    *(
        "environment",
        "entrypoint",
        "command",
        "volumes",
        "shm_size",
        "healthcheck",
        "stop_grace_period",
        "deploy",
        "ports",
    ),
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
    assert set(ours) == {"migrate", *webs(), "streams", "worker", "dispatch", "backup"}
    for name, one in ours.items():
        script = re.search(r"^ *highstreet (.*)", re.sub(r"\$\(.*?\)", "", one["command"][0]), re.M)
        assert _parser().parse_args(script[1].split() if script else one["command"]).command, name
    for name, one in services.items():
        assert set(one) <= SERVICE_KEYS, name
        for other in one.get("depends_on", []):
            assert other in services, (name, other)
    assert len(webs()) >= 2
    for name in ("worker", "dispatch"):
        assert services[name]["deploy"]["replicas"] >= 2, name


def test_only_the_database_and_the_proxy_keep_anything() -> None:
    found = compose()
    keeping = {name for name, one in found["services"].items() if one.get("volumes")}
    assert keeping == {"db", "proxy", "backup"}
    for name, one in found["services"].items():
        for volume in one.get("volumes", []):
            source = volume.split(":")[0]
            assert source in found["volumes"] or (DEPLOY / source).exists(), (name, volume)


def test_backups_are_written_where_the_image_lets_them_be_kept() -> None:
    """A volume takes its owner from the folder of the image, else it is root's."""
    one = compose()["services"]["backup"]
    folder = one["volumes"][0].split(":")[1]
    assert f"highstreet backup {folder}/" in one["command"][0]
    assert re.search(rf"install -d -o highstreet [^\n]*{folder}$", (DEPLOY / "Dockerfile").read_text(), re.M)
    # Compose takes a single $ for a variable of its own.
    assert "$" not in one["command"][0].replace("$$", "")
    script = one["command"][0].replace("$$", "$")
    assert subprocess.run(["sh", "-n", "-c", script], check=False).returncode == 0


def test_a_server_has_time_to_drain() -> None:
    health = int(re.search(r"health_interval (\d+)s", caddy())[1])  # type: ignore[index]
    for name in webs():
        web = compose()["services"][name]
        drain = _parser().parse_args(web["command"]).drain
        assert drain >= 2 * health
        assert int(web["stop_grace_period"].rstrip("s")) > drain + 40


def test_the_proxy_asks_each_web_server_and_reaches_the_streams() -> None:
    """Caddy checks the upstreams that are written down, never those of `dynamic` (caddyserver/caddy#7036)."""
    assert "dynamic" not in re.sub(r"#.*", "", caddy())
    checked = re.search(r"reverse_proxy ([^{}]*) \{[^}]*health_uri /readyz", caddy())
    ports = {name: _parser().parse_args(compose()["services"][name]["command"]).port for name in [*webs(), "streams"]}
    assert checked and set(checked[1].split()) == {f"{name}:{ports[name]}" for name in webs()}
    assert f"reverse_proxy streams:{ports['streams']} " in caddy()
    assert set(compose()["services"]["proxy"]["depends_on"]) == set(ports)


def test_the_proxy_hides_what_is_not_public() -> None:
    """In a `handle` of its own: Caddy sorts a bare `respond` behind the `handle` that takes everything."""
    text = caddy()
    assert set(re.findall(r"@private path (.*)", text)[0].split()) == {"/metrics", "/readyz"}
    assert re.search(r"handle @private \{\s*respond 404\s*\}", text)
    assert text.count("{") == text.count("}")


def caddy() -> str:
    return (DEPLOY / "Caddyfile").read_text()


def webs() -> list[str]:
    return [name for name in compose()["services"] if re.fullmatch(r"web-\d+", name)]


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
    assert {"%i", "manage", "migrate", "backup"} <= set(commands)
    assert "manage collectstatic --noinput" in (DEPLOY / "systemd/highstreet-migrate.service").read_text()
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
