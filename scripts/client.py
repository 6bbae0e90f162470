"""Generate the Python client of /api/v1 from its own document: `python scripts/client.py [FOLDER]` (build/client).

The package is `highstreet_client`; `pip install FOLDER` installs it. Needs neither a database nor a server.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROBLEM = {"$ref": "#/components/schemas/Problem"}
CONFIG = {
    "project_name_override": "highstreet-client",
    "package_name_override": "highstreet_client",
    "post_hooks": [],
    "literal_enums": True,
    # It knows bytes by this name alone.
    "content_type_overrides": {"application/zip": "application/octet-stream"},
}


def document() -> str:
    """The OpenAPI document, with one type for all problems, where the generator would make one for each answer."""
    os.environ.setdefault("DATABASE_URL", "postgresql:///none")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "highstreet.settings")
    import django

    django.setup()
    from highstreet.web.api import api

    known = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/")))
    for methods in known["paths"].values():
        for operation in methods.values():
            if {} in operation["security"]:
                # For everybody: the generator would ask for a token.
                del operation["security"]
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    answer["content"] = {
                        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                    }
    known["paths"] = {path.replace("{quote}", "{quote_id}"): methods for path, methods in known["paths"].items()}
    for operation in known["paths"]["/api/v1/quotes/{quote_id}"].values():
        # The generator's own code calls a function of the name `quote` in the same scope.
        for parameter in operation["parameters"]:
            parameter["name"] = {"quote": "quote_id"}.get(parameter["name"], parameter["name"])
    return json.dumps(known)


def generate(folder: Path) -> str:
    """Write the package to `folder`, in the place of what was there. Returns what the generator warned of."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        source, config = Path(work) / "openapi.json", Path(work) / "config.json"
        source.write_text(document())
        config.write_text(json.dumps(CONFIG))
        program = Path(sys.executable).with_name("openapi-python-client")
        done = subprocess.run(
            [
                *(str(program), "generate", "--path", str(source), "--config", str(config)),
                *("--meta", "setup", "--output-path", str(folder), "--overwrite", "--fail-on-warning"),
            ],
            check=False,
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise RuntimeError(f"the generator ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build" / "client")
    folder = parser.parse_args().folder
    generate(folder)
    sys.stdout.write(f"{folder}: pip install {folder}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
