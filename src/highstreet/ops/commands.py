"""The operators' commands of `highstreet`: migrate, backup, restore, doctor. Each returns the exit code."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def migrate(arguments: argparse.Namespace) -> int:
    """Bring the database up to date; refuse, unless nobody is served, what would make the served ones wait."""
    from django.core.management import call_command

    from . import migrating

    if not arguments.offline:
        risky = [(migration, why) for migration, why in migrating.pending() if why]
        for migration, why in risky:
            for line in why:
                print(f"{migration.app_label}.{migration.name}: {line}")
        if risky:
            print("refused; stop the platform and run `highstreet migrate --offline`, or change the migration")
            return 1
    tries = migrating.patiently(lambda: call_command("migrate", verbosity=0, interactive=False))
    print("the database is up to date" + (f" (waited for locks {tries - 1} times)" if tries > 1 else ""))
    return 0


def backup(arguments: argparse.Namespace) -> int:
    from highstreet.kernel import heartbeat

    from . import backup as backups

    started = time.monotonic()
    made = backups.backup(os.environ["DATABASE_URL"], arguments.file)
    rows, size = sum(table.rows for table in made.tables.values()), arguments.file.stat().st_size
    heartbeat.beat("backup", file=str(arguments.file.resolve()), bytes=size, rows=rows)
    print(f"{arguments.file}: {len(made.tables)} tables, {rows} rows, {size / 1e6:.1f} MB, {_took(started)}")
    print("HIGHSTREET_SECRET_KEY is not in it: keep it as safely, elsewhere")
    return 0


def restore(arguments: argparse.Namespace) -> int:
    from . import backup as backups

    started = time.monotonic()
    made = backups.restore(os.environ["DATABASE_URL"], arguments.file, replace=arguments.replace, jobs=arguments.jobs)
    rows = sum(table.rows for table in made.tables.values())
    print(f"restored what was backed up at {made.made_at}: {rows} rows, every table's checksum equal, {_took(started)}")
    print("now run `highstreet migrate` and `highstreet audit`")
    return 0


def doctor(arguments: argparse.Namespace) -> int:
    from django.utils import translation

    from . import doctor as doctors

    with translation.override(arguments.language):
        findings = doctors.examine()
        for finding in findings:
            print(f"{finding.mark:<7} {finding.says}")
            if finding.remedy:
                print(f"        {finding.remedy}")
    return 1 if any(finding.serious for finding in findings) else 0


def declare(add: Callable[..., Any]) -> None:
    """Add these commands to the parser; `add(name, command, words)` gives the sub-parser."""
    update = add("migrate", migrate, "bring the database up to date, also while the platform serves")
    update.add_argument("--offline", action="store_true", help="nobody is served: apply also what locks for long")
    save = add("backup", backup, "write everything into one file; the platform may go on serving")
    save.add_argument("file", type=Path)
    back = add("restore", restore, "fill an empty database from a backup and compare every table")
    back.add_argument("file", type=Path)
    back.add_argument("--replace", action="store_true", help="drop what is in the database first; nobody may use it")
    back.add_argument("--jobs", type=int, default=2, help="tables and indexes restored at once")
    health = add("doctor", doctor, "look after this installation: what is wrong, and what to do; exit 1 if serious")
    for speaking in (back, health):
        speaking.add_argument("--language", choices=["en", "zh-hans"], default="en")


def _took(started: float) -> str:
    return f"{time.monotonic() - started:.1f} s"
