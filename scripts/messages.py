"""Keeps the Chinese translations complete, without GNU gettext. Message ids are English.

    python scripts/messages.py             extract, merge into <app>/locale/zh_Hans/LC_MESSAGES/, compile
    python scripts/messages.py --check     write nothing; exit 1 and list what is missing, fuzzy or stale
    python scripts/messages.py PATH ...    only the apps at or below these paths

An app is a folder with an apps.py (Django reads its locale folder), not counting the apps inside it.
Templates outside every app are reported too: their words could not be translated.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

SRC = Path(__file__).resolve().parent.parent / "src"
sys.path.insert(0, str(SRC))

from babel.messages.catalog import Catalog, Message  # noqa: E402
from babel.messages.extract import extract  # noqa: E402
from babel.messages.pofile import read_po, write_po  # noqa: E402
from django.conf import settings  # noqa: E402
from django.utils.translation.template import templatize  # noqa: E402

from highstreet.kernel.messages import compile_all  # noqa: E402

ROOT = SRC / "highstreet"
LOCALE = "zh_Hans"
SKIP = {"migrations", "static", "locale", "__pycache__", "tests"}
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


def sources(app: Path) -> Iterator[Path]:
    """The .py files beside its __init__ and below, and its templates; nested apps keep their own."""
    for folder, folders, files in os.walk(app):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if name not in SKIP and not is_app(here / name))
        for name in sorted(files):
            if name.endswith((".py", ".html", ".txt")) and (name.endswith(".py") or "templates" in here.parts):
                yield here / name


def is_app(folder: Path) -> bool:
    """A Django app has an apps.py; only those have a locale folder that Django reads."""
    return (folder / "apps.py").exists()


def orphans(found_apps: list[Path]) -> list[str]:
    covered = {path for app in found_apps for path in sources(app)}
    templates = {path for path in ROOT.rglob("templates/**/*.html") if not SKIP & set(path.parts)}
    return [f"{path.relative_to(SRC)}: in no app" for path in sorted(templates - covered)]


def apps(roots: list[Path]) -> list[Path]:
    found = {path.parent for root in roots for path in root.rglob("apps.py") if not SKIP & set(path.parts)}
    return sorted(found)


def messages_of(path: Path) -> Iterator[tuple[int, str | tuple[str, ...], str | None]]:
    """(line, id or ids, context) of each message in one file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        text = templatize(text, origin=str(path))
    for line, ids, _, context in extract("python", io.BytesIO(text.encode()), keywords=KEYWORDS):
        yield line, ids, context


def wanted(app: Path) -> Catalog:
    catalogue = Catalog(locale=LOCALE, fuzzy=False)
    for path in sources(app):
        for _, ids, context in messages_of(path):
            if ids and ids != "":
                # Without line numbers a moved line is no change to the translations.
                catalogue.add(ids, locations=[(str(path.relative_to(app)), 1)], context=context)
    return catalogue


def po_path(app: Path) -> Path:
    return app / "locale" / LOCALE / "LC_MESSAGES" / "django.po"


def known(app: Path) -> Catalog:
    path = po_path(app)
    if not path.exists():
        return Catalog(locale=LOCALE)
    with path.open("rb") as source:
        return read_po(source, locale=LOCALE)


def key(message: Message) -> tuple[str, str | None]:
    return (message.id if isinstance(message.id, str) else message.id[0], message.context)


def merged(app: Path) -> Catalog:
    """What the app says now, with the translations it already has; the rest is dropped."""
    fresh, old = wanted(app), {key(message): message for message in known(app) if message.id}
    for message in fresh:
        if message.id and (before := old.get(key(message))):
            message.string = before.string
            message.flags |= before.flags & {"fuzzy"}
    return fresh


def is_translated(message: Message) -> bool:
    return all(message.string) if isinstance(message.string, tuple | list) else bool(message.string)


def rendered(catalogue: Catalog) -> bytes:
    sink = io.BytesIO()
    write_po(sink, catalogue, sort_output=True, omit_header=True, include_lineno=False, ignore_obsolete=True, width=110)
    header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    header += '"Language: zh_Hans\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
    return header.encode() + sink.getvalue()


def placeholders_differ(message: Message) -> bool:
    """A translation that lost `%(name)s` raises on the page, so it counts as missing."""
    if not isinstance(message.id, str) or not isinstance(message.string, str):
        return False
    return any(f"%({name})s" not in message.string for name in set(_names(message.id)))


def _names(text: str) -> list[str]:
    return [part.split(")s")[0] for part in text.split("%(")[1:] if ")s" in part]


def faults(app: Path) -> list[str]:
    name = app.relative_to(SRC).as_posix()
    fresh = merged(app)
    found = []
    for message in fresh:
        if not message.id:
            continue
        if not is_translated(message):
            found.append(f"{name}: missing: {message.id!r}")
        elif message.fuzzy:
            found.append(f"{name}: fuzzy: {message.id!r}")
        elif placeholders_differ(message):
            found.append(f"{name}: placeholders differ: {message.id!r}")
    now = {key(message) for message in fresh}
    found += [f"{name}: stale: {old.id!r}" for old in known(app) if old.id and key(old) not in now]
    return found


def write(app: Path) -> None:
    catalogue = merged(app)
    path = po_path(app)
    if not len(catalogue):
        path.unlink(missing_ok=True)
        return
    content = rendered(catalogue)
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("paths", nargs="*", type=lambda text: Path(text).resolve())
    options = parser.parse_args()
    settings.configure(USE_I18N=True)
    chosen = apps(options.paths or [ROOT])
    if not options.check:
        for app in chosen:
            write(app)
        compile_all()
    found = [fault for app in chosen for fault in faults(app)]
    if not options.paths:
        found += orphans(chosen)
    for fault in found:
        print(fault)
    print(f"{len(chosen)} apps, {len(found)} to mend", file=sys.stderr)
    return 1 if found and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
