"""Static files straight from the apps' folders, with brotli and gzip copies made once beside the data.

`collectstatic` does the same for a deployment (HIGHSTREET_STATIC); a demo must start without it.
"""

from __future__ import annotations

import gzip
import os
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import brotli
from django.conf import settings
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

OURS = Path(__file__).resolve().parent
TEXT = (".css", ".js", ".svg")
LEAST = 400


class Statics(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise whose files from finders are compressed too, those of our pages only.

    They are looked for once a process: every client of a test makes the middleware anew, and four hundred files are
    forty milliseconds.
    """

    _found: ClassVar[dict[tuple[str, str], dict[str, StaticFile]]] = {}

    def add_files_from_finders(self) -> None:
        where = self.static_prefix, str(settings.DATA_DIR)
        if where not in self._found:
            super().add_files_from_finders()
            self._found[where] = dict(self.files)
        self.files |= self._found[where]

    def get_static_file(self, path: str, url: str, stat_cache: dict[str, os.stat_result] | None = None) -> Any:
        plain: StaticFile = super().get_static_file(path, url, stat_cache)
        source = Path(path)
        if not self.use_finders or source.suffix not in TEXT or OURS not in source.parents:
            return plain
        content = source.read_bytes()
        if len(content) < LEAST:
            return plain
        copies = {"br": _copy(content, "br"), "gzip": _copy(content, "gz")}
        headers = plain.get_response("GET", {"HTTP_ACCEPT_ENCODING": ""}).headers
        kept = [(name, value) for name, value in headers if name not in ("Content-Length", "Vary")]
        known = None if stat_cache is None else stat_cache | {copy: Path(copy).stat() for copy in copies.values()}
        return StaticFile(path, kept, stat_cache=known, encodings=copies)


def _copy(content: bytes, kind: str) -> str:
    """The compressed copy's path; written once for each content."""
    folder = Path(settings.DATA_DIR) / "compressed"
    path = folder / f"{sha256(content).hexdigest()[:24]}.{kind}"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        packed = brotli.compress(content) if kind == "br" else gzip.compress(content, mtime=0)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.write_bytes(packed)
        fresh.replace(path)
    return str(path)
