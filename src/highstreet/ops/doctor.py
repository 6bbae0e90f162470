"""`highstreet doctor`: looks at an installation as an operator would and says what is wrong and what to do.

Each check is a function that yields findings; one that breaks is itself a finding, so the others are still made.
"""

from __future__ import annotations

import filecmp
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from highstreet.kernel import clock, heartbeat, outbox
from highstreet.supply.organisations import reads as organisations

FREE_BYTES = 2 << 30
SKEW_SECONDS = 2.0
BACKUP_HOURS = 26.0
LAG_SECONDS = 60.0
DEMO_SECRETS = frozenset({"only-for-tests-and-the-demo", "change-me", ""})
LEAST_SECRET = 32
OLDEST_SERVER = 150000


@dataclass(frozen=True)
class Finding:
    """`mark` is ok, look or serious; `remedy` what to do, empty when all is well."""

    mark: str
    says: str
    remedy: str = ""

    @property
    def serious(self) -> bool:
        return self.mark == "serious"


Check = Callable[[], Iterator[Finding]]


def good(says: str) -> Finding:
    return Finding("ok", says)


def look(says: str, remedy: str) -> Finding:
    return Finding("look", says, remedy)


def serious(says: str, remedy: str) -> Finding:
    return Finding("serious", says, remedy)


def examine() -> list[Finding]:
    """Every check. When the database does not answer, those that need it are left out."""
    found = [one for check in (_python, _settings, _statics, _disk) for one in _each(check)]
    database = _each(_database)
    found += database
    if not any(one.serious for one in database):
        for check in (_migrations, _clock, _workers, _dispatcher, _outbox, _queue, _webhooks, _memory):
            found += _each(partial(_apart, check))
    return found


def _each(check: Check) -> list[Finding]:
    try:
        return list(check())
    except Exception as error:
        name = getattr(check, "args", (check,))[0].__name__.strip("_")
        return [serious(_("The check “{name}” failed: {error}").format(name=name, error=error), _("Tell us about it."))]


def _apart(check: Check) -> Iterator[Finding]:
    """In a transaction of its own, so that a query that fails spoils no other check."""
    with transaction.atomic():
        yield from check()


def _one(query: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query, values or None)
        row = cursor.fetchone()
    return row[0] if row else None


def _python() -> Iterator[Finding]:
    said = _("Python {version}").format(version=platform.python_version())
    if platform.python_version_tuple()[:2] < ("3", "11"):
        yield serious(said, _("Install Python 3.11 or newer."))
    else:
        yield good(said)


def _settings() -> Iterator[Finding]:
    if settings.DEBUG:
        yield serious(_("DEBUG is on: errors show the code."), _("Set DEBUG to False."))
    if settings.SECRET_KEY in DEMO_SECRETS or len(settings.SECRET_KEY) < LEAST_SECRET:
        yield serious(
            _("The secret key is the demo's, or short: anybody can forge sessions."),
            _("Set HIGHSTREET_SECRET_KEY to 50 random characters."),
        )
    if set(settings.ALLOWED_HOSTS) <= {"localhost", "127.0.0.1", "[::1]", "testserver"}:
        yield look(_("Only this machine may call the shop."), _("Set HIGHSTREET_HOSTS to the shop's names."))
    elif "*" in settings.ALLOWED_HOSTS:
        yield serious(_("Any host name is accepted."), _("Set HIGHSTREET_HOSTS to the shop's names."))
    if not settings.HTTPS:
        yield look(_("Cookies also travel without HTTPS."), _("Serve by HTTPS and set HIGHSTREET_HTTPS=1."))
    if settings.HTTPS and settings.PROXY_HOPS == 0:
        yield look(
            _("HTTPS without a proxy of ours: all guests seem to come from one address."),
            _("Set HIGHSTREET_PROXY_HOPS to the number of proxies."),
        )
    if settings.DEV:
        yield serious(_("HIGHSTREET_DEV is on: webhooks may reach this machine."), _("Unset HIGHSTREET_DEV."))
    if "HIGHSTREET_CLOCK" in os.environ and clock.speed() != 1.0:
        yield look(_("Time runs at ×{speed}.").format(speed=f"{clock.speed():g}"), _("Unset HIGHSTREET_CLOCK."))
    if settings.RATE == "off":
        yield serious(_("Rate limits are off."), _("Unset HIGHSTREET_RATE."))
    if not settings.AXES_ENABLED:
        yield look(_("Passwords may be guessed without end."), _("Set HIGHSTREET_AXES=1, unless a proxy counts."))
    if not settings.WECHAT_CONFIG:
        yield look(_("No payment provider is set up."), _("Set HIGHSTREET_WECHAT to the merchant's file."))


def _statics() -> Iterator[Finding]:
    """Where they are collected: as this code has them, and with the names that its pages ask for."""
    if settings.STATIC_ROOT is None:
        return
    sources = [(Path(at.path(name)), name) for finder in get_finders() for name, at in finder.list([])]
    last = {name: source for source, name in reversed(sources)}
    kept = set(staticfiles_storage.hashed_files) if hasattr(staticfiles_storage, "hashed_files") else set(last)
    wrong = [
        name for name, source in last.items() if name not in kept or not _same(source, settings.STATIC_ROOT / name)
    ]
    if wrong:
        yield serious(
            _("{count} static files are not those of this version: pages break.").format(count=len(wrong)),
            _("Run `highstreet manage collectstatic --noinput` and restart the web servers."),
        )
    else:
        yield good(_("Static files are collected."))


def _same(source: Path, copy: Path) -> bool:
    return copy.is_file() and filecmp.cmp(source, copy, shallow=False)


def _disk() -> Iterator[Finding]:
    place = next(path for path in (settings.DATA_DIR, *settings.DATA_DIR.parents) if path.exists())
    free = shutil.disk_usage(place).free
    said = _("{size} GB free where the data are").format(size=f"{free / 1e9:.1f}")
    yield serious(said, _("Make room: PostgreSQL stops when the disk is full.")) if free < FREE_BYTES else good(said)


def _database() -> Iterator[Finding]:
    try:
        version, collation, encoding = int(_one("SHOW server_version_num")), _collation(), _one("SHOW server_encoding")
    except DatabaseError as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        yield serious(
            _("PostgreSQL does not answer: {why}").format(why=why), _("Check DATABASE_URL and that the server runs.")
        )
        return
    said = _("PostgreSQL {version}, {collation}, {encoding}").format(
        version=f"{version // 10000}.{version % 10000}", collation=collation, encoding=encoding
    )
    if version < OLDEST_SERVER:
        yield serious(said, _("Upgrade to PostgreSQL 15 or newer."))
    elif encoding != "UTF8":
        yield serious(said, _("Make the database anew with ENCODING 'UTF8'."))
    else:
        yield good(said)
    for name, wanted in (("fsync", "on"), ("full_page_writes", "on"), ("synchronous_commit", "on")):
        value = _one("SELECT current_setting(%s)", name)
        if value != wanted:
            yield serious(
                _("{name} is {value}: an order that was confirmed may be lost.").format(name=name, value=value),
                _("Set {name} = {wanted} in postgresql.conf.").format(name=name, wanted=wanted),
            )
    used, most = _one("SELECT count(*) FROM pg_stat_activity"), int(_one("SHOW max_connections"))
    if used > most * 0.8:
        yield look(
            _("{used} of {most} connections are in use.").format(used=used, most=most),
            _("Fewer workers or threads, or a higher max_connections."),
        )


def _collation() -> str:
    version = (
        "SELECT datcollate || CASE WHEN datcollversion IS DISTINCT FROM "
        "pg_database_collation_actual_version(oid) THEN ' !' ELSE '' END "
        "FROM pg_database WHERE datname = current_database()"
    )
    return str(_one(version))


def _migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        yield serious(
            _("{count} migrations are not applied.").format(count=len(missing)), _("Run `highstreet migrate`.")
        )
    else:
        yield good(_("Every migration is applied."))
    half = _one("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
    if half:
        yield look(_("{count} indexes are half built.").format(count=half), _("Run `highstreet migrate` again."))


def _clock() -> Iterator[Finding]:
    before = clock.wall()
    there = float(_one("SELECT extract(epoch FROM clock_timestamp())"))
    skew = there - (before + clock.wall()) / 2
    said = _("The database's clock differs by {skew} s.").format(skew=f"{skew:+.2f}")
    if abs(skew) > SKEW_SECONDS:
        yield serious(said, _("Synchronise the clocks of both machines (NTP)."))
    else:
        yield good(said)


def _workers() -> Iterator[Finding]:
    alive = _one("SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '60 seconds'")
    if alive:
        yield good(_("{count} workers are alive.").format(count=alive))
    else:
        yield serious(_("No worker runs: nothing paid is confirmed."), _("Start `highstreet worker`."))


def _dispatcher() -> Iterator[Finding]:
    found = {beat.name.removeprefix("dispatch "): beat for beat in heartbeat.last("dispatch ")}
    cities = sorted(city.code for city in organisations.cities())
    left = [code for code in cities if code not in found or found[code].age > LAG_SECONDS]
    if not found:
        yield look(_("No dispatcher has ever run."), _("Start `highstreet dispatch`."))
    elif left:
        yield serious(
            _("Nobody dispatches in {cities}.").format(cities=", ".join(left)),
            _("Start `highstreet dispatch`: several share the cities, and one more stands by. Else see what it logs."),
        )
    else:
        took = max((float(found[code].facts.get("seconds", 0.0)) for code in cities), default=0.0)
        yield good(_("Every city is dispatched; the slowest last turn took {seconds} s.").format(seconds=f"{took:.2f}"))


def _outbox() -> Iterator[Finding]:
    oldest = "SELECT min(e.at) FROM kernel_outboxdelivery d JOIN kernel_outboxevent e ON e.id = d.event_id "
    at = _one(oldest + "WHERE d.done_at IS NULL AND d.failures < %s", outbox.MAX_FAILURES)
    lag = clock.real_seconds((clock.now() - at).total_seconds()) if at else 0.0
    said = _("The outbox is {seconds} s behind.").format(seconds=round(lag))
    yield look(said, _("Start more workers, or see why they fail.")) if lag > LAG_SECONDS else good(said)
    parked = _one(
        "SELECT count(*) FROM kernel_outboxdelivery WHERE done_at IS NULL AND failures >= %s", outbox.MAX_FAILURES
    )
    if parked:
        yield serious(
            _("{count} events could not be handled.").format(count=parked),
            _("See kernel_outboxdelivery.error; mend the cause, set failures to 0."),
        )


def _queue() -> Iterator[Finding]:
    age = _one(
        "SELECT extract(epoch FROM now() - min(coalesce(j.scheduled_at, e.at))) FROM procrastinate_jobs j "
        "LEFT JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred' "
        "WHERE j.status = 'todo' AND coalesce(j.scheduled_at, now()) <= now()"
    )
    said = _("The oldest job that is due waits {seconds} s.").format(seconds=round(age or 0))
    yield look(said, _("Start more workers.")) if (age or 0) > LAG_SECONDS else good(said)
    failed = _one("SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'")
    if failed:
        yield look(
            _("{count} jobs have failed for good.").format(count=failed),
            _("See them with `highstreet manage procrastinate shell`."),
        )


def _webhooks() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT url, failing_since FROM partners_endpoint WHERE removed_at IS NULL AND failing_since IS NOT NULL"
        )
        for url, since in cursor.fetchall():
            yield look(
                _("The webhook {url} has failed since {since}.").format(url=url, since=f"{since:%Y-%m-%d %H:%M} UTC"),
                _("Ask its owner; what waits is sent again when it answers."),
            )


def _memory() -> Iterator[Finding]:
    """What has to be done now and then: backups and audits."""
    saved, audited = heartbeat.last("backup"), heartbeat.last("audit")
    if not saved or saved[0].age > BACKUP_HOURS * 3600:
        age = _("never") if not saved else _("{hours} h ago").format(hours=round(saved[0].age / 3600))
        yield look(_("Last backup: {age}.").format(age=age), _("Run `highstreet backup` every night."))
    elif not Path(str(saved[0].facts.get("file", ""))).exists():
        yield look(_("The last backup is not on this machine."), _("Good, if you moved it away; else make one."))
    else:
        yield good(_("Last backup: {age}.").format(age=_("{hours} h ago").format(hours=round(saved[0].age / 3600))))
    if audited and audited[0].facts.get("broken"):
        yield serious(_("The last audit found broken invariants."), _("Run `highstreet audit` and see which."))
