"""Vendored npm files: fetch them (`--update`), or prove that they are what the lock says (`--check`).

python scripts/vendor.py --check     offline; exit 1 when a file and the lock disagree
python scripts/vendor.py --update    `npm pack` each package at its exact version, rewrite files and lock
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "src/highstreet/web/ui/static/vendor"
LOCK = VENDOR / "vendor.lock.json"

# Every icon costs about 45 compressed bytes on a first visit: add one when a page needs it.
ICON_NAMES = """
    arrow-left arrow-right arrow-up-down ban bell bike book-open boxes calendar-check camera car
    chart-column check chevron-down chevron-left chevron-right circle-alert circle-check circle-dot
    circle-question-mark circle-x clipboard-list clock credit-card download external-link
    flask-conical gift handshake heart history hourglass house image info key-round keyboard
    languages layers layout-grid list log-in log-out map-pin megaphone menu message-circle minus
    navigation package package-check pencil phone plus printer receipt-text refresh-cw repeat route
    scan-barcode scissors search settings shield-check shopping-bag shopping-cart sparkles spray-can
    star store sun-moon tag thermometer-snowflake ticket-percent trash-2 triangle-alert truck undo-2
    upload user users wallet warehouse wifi-off x
"""
ICONS = ICON_NAMES.split()

Read = Callable[[str], bytes]


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    licence: str
    build: Callable[[Read], dict[str, bytes]]


def without_source_map(source: bytes) -> bytes:
    """A source map would be a 404 on every page with the developer tools open."""
    return re.sub(rb"\n?(//|/\*)# sourceMappingURL=[^\n]*", b"", source).rstrip() + b"\n"


def htmx(read: Read) -> dict[str, bytes]:
    return {"htmx.min.js": without_source_map(read("dist/htmx.min.js")), "htmx.LICENSE": read("LICENSE")}


def leaflet(read: Read) -> dict[str, bytes]:
    css = without_source_map(read("dist/leaflet.css"))
    # We draw our own markers and load no layer control, so the five pictures it points at stay out.
    css = re.sub(rb"url\(images/[^)]*\)", b"none", css)
    return {
        "leaflet.js": without_source_map(read("dist/leaflet.js")),
        "leaflet.css": b"@layer vendor {\n" + css + b"}\n",
        "leaflet.LICENSE": read("LICENSE"),
    }


def lucide(read: Read) -> dict[str, bytes]:
    symbols = []
    for icon in sorted(ICONS):
        text = read(f"icons/{icon}.svg").decode()
        inner = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
        inner = re.sub(r"\s+", " ", inner).replace(" />", "/>").replace("> <", "><").strip()
        symbols.append(f'<symbol id="{icon}" viewBox="0 0 24 24">{inner}</symbol>')
    sprite = '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"
    return {"icons.svg": sprite.encode(), "lucide.LICENSE": read("LICENSE")}


PACKAGES = (
    Package("htmx.org", "4.0.1", "0BSD", htmx),
    Package("leaflet", "1.9.4", "BSD-2-Clause", leaflet),
    Package("lucide-static", "1.62.0", "ISC", lucide),
)


def packed(package: Package, into: Path) -> Read:
    """Fetch one tarball through npm and return a reader of its files."""
    spec = f"{package.name}@{package.version}"
    done = subprocess.run(["npm", "pack", spec, "--silent"], cwd=into, check=True, capture_output=True, text=True)
    archive = into / done.stdout.strip().splitlines()[-1]

    def read(path: str) -> bytes:
        with tarfile.open(archive) as tarball:
            member = tarball.extractfile(f"package/{path}")
            if member is None:
                raise FileNotFoundError(f"{spec}: {path}")
            return member.read()

    return read


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def update() -> None:
    VENDOR.mkdir(parents=True, exist_ok=True)
    entries = []
    with tempfile.TemporaryDirectory() as scratch:
        for package in PACKAGES:
            files = package.build(packed(package, Path(scratch)))
            for name, content in files.items():
                (VENDOR / name).write_bytes(content)
            entries.append(
                {
                    "name": package.name,
                    "version": package.version,
                    "licence": package.licence,
                    "files": {name: digest(content) for name, content in sorted(files.items())},
                }
            )
    LOCK.write_text(json.dumps({"packages": entries}, indent=2) + "\n")


def faults() -> list[str]:
    """What differs between the lock, the files and this script's own list of versions."""
    found = []
    packages = json.loads(LOCK.read_text())["packages"]
    locked = {entry["name"]: entry["version"] for entry in packages}
    wanted = {package.name: package.version for package in PACKAGES}
    if locked != wanted:
        found.append(f"versions: the lock has {locked}, scripts/vendor.py wants {wanted}")
    known = {LOCK.name}
    for entry in packages:
        for name, expected in entry["files"].items():
            known.add(name)
            path = VENDOR / name
            if not path.exists():
                found.append(f"{name}: missing")
            elif digest(path.read_bytes()) != expected:
                found.append(f"{name}: not the file that the lock names")
    found += [f"{path.name}: not in the lock" for path in VENDOR.iterdir() if path.name not in known]
    sprite = (VENDOR / "icons.svg").read_text()
    found += [f"icons.svg: no icon {icon}" for icon in ICONS if f'id="{icon}"' not in sprite]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true")
    mode.add_argument("--update", action="store_true")
    if parser.parse_args().update:
        update()
    found = faults()
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
