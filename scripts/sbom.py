"""A CycloneDX bill of materials from the locks: every pinned package and every vendored file, with licences.

python scripts/sbom.py [FILE]     writes FILE (build/sbom.cdx.json), checked against the standard's schema

`scope` is required for what runs, excluded for what only tests and builds use. Licences are read from the packages
that are installed here; one that is locked for another platform only has none.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
VENDOR = ROOT / "src/highstreet/web/ui/static/vendor/vendor.lock.json"
ART = {"name": "@lobehub/fluent-emoji-3d", "version": "1.1.0", "licence": "MIT"}
SPEC = "1.6"


def pins(lock: str) -> dict[str, str]:
    """Name and version of every package of a lock."""
    text = (LOCKS / lock).read_text()
    return {name.lower(): version for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.M)}


def licence_of(name: str) -> str:
    """An SPDX expression or the words of a package's own metadata; "" if it is not installed here."""
    try:
        told: Any = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    classifiers = [
        one.rpartition(" :: ")[2] for one in told.get_all("Classifier") or () if one.startswith("License ::")
    ]
    words = (told.get("License") or "").strip().splitlines()
    return str(told.get("License-Expression") or ", ".join(classifiers) or (words[0] if words else "")) or "unknown"


def python_components() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The document that cyclonedx-bom makes of the lock with everything in it, and its components completed."""
    made = subprocess.run(
        [
            *(sys.executable, "-m", "cyclonedx_py", "requirements", str(LOCKS / "dev.txt")),
            *("--pyproject", str(ROOT / "pyproject.toml"), "--sv", SPEC, "--output-reproducible", "-o", "-"),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    document: dict[str, Any] = json.loads(made.stdout)
    running = pins("base.txt")
    for one in document["components"]:
        one["scope"] = "required" if one["name"].lower() in running else "excluded"
        if licence := licence_of(one["name"]):
            one["licenses"] = [{"license": {"name": licence}}]
        # Where it was fetched from is no property of the package and differs between builders; the digests stay.
        one["externalReferences"] = [{**ref, "url": one["purl"]} for ref in one.get("externalReferences", [])[:1]]
    return document, document["components"]


def vendored() -> list[dict[str, Any]]:
    """The npm packages whose files are kept in the tree, each file with its digest."""
    found = []
    for package in [*json.loads(VENDOR.read_text())["packages"], ART]:
        purl = f"pkg:npm/{package['name'].replace('@', '%40')}@{package['version']}"
        found.append(
            {
                "type": "library",
                "bom-ref": purl,
                "name": package["name"],
                "version": package["version"],
                "purl": purl,
                "scope": "required",
                "licenses": [{"license": {"id": package["licence"]}}],
                "components": [
                    {
                        "type": "file",
                        "bom-ref": f"{purl}#{name}",
                        "name": name,
                        "hashes": [{"alg": "SHA-256", "content": digest}],
                    }
                    for name, digest in package.get("files", {}).items()
                ],
            }
        )
    return found


def document() -> dict[str, Any]:
    """The whole bill."""
    made, components = python_components()
    made["components"] = [*components, *vendored()]
    made["dependencies"] += [
        {"ref": one["bom-ref"]} for one in made["components"] if one["bom-ref"].startswith("pkg:npm")
    ]
    return made


def check(made: dict[str, Any]) -> None:
    """Raises ValueError where the standard's schema does not hold."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(made))
    if wrong is not None:
        raise ValueError(str(wrong)[:500])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "build/sbom.cdx.json")
    file: Path = parser.parse_args().file
    made = document()
    check(made)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(made, indent=2) + "\n")
    running = sum(one["scope"] == "required" for one in made["components"])
    print(f"{file}: {len(made['components'])} components, {running} of them run")


if __name__ == "__main__":
    main()
