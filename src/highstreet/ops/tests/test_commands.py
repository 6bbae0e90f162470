"""What operators' commands refuse: to guess a database, and to drop one that is in use."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from highstreet import cli
from highstreet.ops import backup as backups
from highstreet.ops.refusals import IN_USE


@pytest.mark.parametrize("words", [["doctor"], ["audit"], ["backup", "x.zip"], ["worker"], ["manage", "check"]])
def test_without_a_database_nothing_is_guessed(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even where HIGHSTREET_DATA names a folder, as the example environment does."""
    monkeypatch.setenv("HIGHSTREET_DATA", str(tmp_path))
    for empty in (True, False):
        monkeypatch.delenv("DATABASE_URL") if empty else monkeypatch.setenv("DATABASE_URL", "")
        assert cli.main(words) == 2
        assert "set DATABASE_URL" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def url() -> Iterator[str]:
    """A small database that can be backed up."""
    name = f"hs_ops_{secrets.token_hex(4)}"
    admin = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    found = make_conninfo(os.environ["DATABASE_URL"], dbname=name)
    with psycopg.connect(found) as connection:
        connection.execute("CREATE TABLE django_migrations AS SELECT 'a' AS app, 'b' AS name")
    yield found
    admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    admin.close()


def test_what_is_in_use_is_not_dropped(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "all.zip"
    backups.backup(url, file)
    monkeypatch.setenv("DATABASE_URL", url)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("CREATE TABLE since AS SELECT 1")
        for language, words in (("en", "1 connections use this database"), ("zh-hans", "还有 1 个连接")):
            assert cli.main(["restore", str(file), "--replace", "--language", language]) == 2
            said = capsys.readouterr().err
            assert IN_USE.code in said and words in said
        assert other.execute("SELECT to_regclass('since') IS NOT NULL").fetchone() == (True,)
    assert cli.main(["restore", str(file), "--replace"]) == 0
    with psycopg.connect(url) as after:
        assert after.execute("SELECT to_regclass('since') IS NULL").fetchone() == (True,)


def test_a_backup_says_what_is_not_in_it(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], db: None
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert cli.main(["backup", str(tmp_path / "all.zip")]) == 0
    assert "HIGHSTREET_SECRET_KEY is not in it" in capsys.readouterr().out
