"""Words in both languages: nothing is missing, and the same words are translated the same way everywhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from babel.messages.pofile import read_po

from .test_house import ROOT


def test_every_message_is_translated() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/messages.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_no_app_translates_the_words_of_another_anew() -> None:
    """Django merges all catalogues into one: of two translations of the same words only one is ever seen."""
    known: dict[object, dict[object, str]] = defaultdict(dict)
    for path in sorted((ROOT / "src").rglob("locale/zh_Hans/LC_MESSAGES/django.po")):
        with path.open("rb") as file:
            for message in read_po(file):
                if message.id and isinstance(message.id, str):
                    known[message.context, message.id][message.string] = str(path.relative_to(ROOT))
    assert known
    assert [key for key, found in known.items() if len(found) > 1] == []


def test_the_first_process_of_a_fresh_checkout_speaks_chinese(tmp_path: Path) -> None:
    """Others' apps ask for a translation while they load; what is compiled after that is never seen."""
    ignored = shutil.ignore_patterns("*.mo", "__pycache__", "static", "cities")
    shutil.copytree(ROOT / "src" / "highstreet", tmp_path / "highstreet", ignore=ignored)
    script = "import django; django.setup(); from django.utils.translation import override, gettext\n"
    script += "with override('zh-hans'): print(gettext('Orders'))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(tmp_path), "DJANGO_SETTINGS_MODULE": "highstreet.settings", "PYTHONIOENCODING": "utf-8"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "订单", done.stdout + done.stderr
