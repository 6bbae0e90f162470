"""Q5: the bill of materials is valid and whole, what is locked is hashed, and no licence is in the way."""

from __future__ import annotations

import hashlib
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Add

ROOT = Path(__file__).resolve().parents[2]


def _script() -> Any:
    """scripts/ is no package."""
    spec = spec_from_file_location("sbom", ROOT / "scripts/sbom.py")
    assert spec is not None and spec.loader is not None
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


sbom = _script()
# Licences of what runs that we may pass on under Apache-2.0. LGPL and MPL: used as published, unchanged, by import.
FREE = re.compile(
    r"(?:MIT(?:-0)?|BSD|0BSD|ISC|Apache|PSF|Python Software Foundation|Zlib|CC0|MPL|Mozilla|LGPL|"
    r"GNU Lesser General Public|3-Clause BSD|Unlicense)",
    re.I,
)
BARRED = re.compile(r"(?:\bAGPL|Affero|(?<!L)GPL-|GNU General Public|SSPL|Commons Clause|BUSL|\bCC-BY-NC)", re.I)
# Locked for another platform, so their own words cannot be read here.
ELSEWHERE = {"colorama", "pyyaml-ft"}
# Says "Other/Proprietary" beside BSD in its classifiers; its LICENSE is BSD-3-Clause.
MISNAMED = "Other/Proprietary License"


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    """Made as `make sbom` makes it."""
    made: dict[str, Any] = sbom.document()
    return made


def test_every_locked_package_and_every_vendored_file_is_in_it(bill: dict[str, Any], row: Add) -> None:
    known = {one["purl"] for one in bill["components"]}
    locked = {**sbom.pins("base.txt"), **sbom.pins("dev.txt")}
    wanted = {f"pkg:pypi/{name}@{version}" for name, version in locked.items()}
    assert {one.replace("_", "-") for one in wanted} <= {one.lower().replace("_", "-") for one in known}
    assert sbom.pins("base.txt").items() <= sbom.pins("dev.txt").items()
    files = {
        one["name"]: one["hashes"][0]["content"] for part in bill["components"] for one in part.get("components", ())
    }
    there = [path for path in sbom.VENDOR.parent.iterdir() if path.name != sbom.VENDOR.name]
    assert files == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in there}
    note = f"{len(locked)} locked packages, {len(files)} vendored files; CycloneDX {sbom.SPEC}"
    row("Q5", "bill of materials", n=len(bill["components"]), notes=note)


@pytest.mark.long
def test_it_is_what_the_standards_schema_says(bill: dict[str, Any]) -> None:
    sbom.check(bill)


@pytest.mark.long
def test_a_document_that_is_none_is_refused() -> None:
    """The control: the schema is looked at."""
    with pytest.raises(ValueError, match="CycloneDX"):
        sbom.check({"components": [], "dependencies": [], "bomFormat": "Other", "specVersion": "1.6"})


def test_no_licence_is_in_the_way(bill: dict[str, Any]) -> None:
    for one in bill["components"]:
        told = [entry["license"].get("id") or entry["license"].get("name") for entry in one.get("licenses", ())]
        if not told:
            assert one["name"] in ELSEWHERE, one["name"]
            continue
        assert not BARRED.search(told[0]), f"{one['name']}: {told[0]}"
        if one["scope"] == "required":
            assert FREE.search(told[0].replace(MISNAMED, "")), f"{one['name']}: {told[0]}"


@pytest.mark.parametrize("lock", ["base.txt", "dev.txt"])
def test_every_lock_is_exact_and_hashed(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (sbom.LOCKS / lock).read_text().strip())
    assert all(re.match(r"[A-Za-z0-9._-]+==\S+", one) and "--hash=sha256:" in one for one in entries)
    assert len(entries) > 60
