"""W4: what can be uploaded at all is listed; a file that is not just a picture is refused or loses what is not."""

from __future__ import annotations

import ast
import gzip
import io
import re
import zipfile
import zlib
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models

from highstreet.delivery.couriers.models import Courier
from highstreet.delivery.dispatch import photos
from highstreet.delivery.dispatch.models import Delivery
from highstreet.kernel import ids
from highstreet.kernel.policy import THE_SYSTEM
from highstreet.people.accounts.actions import issue_token
from highstreet.web.courier.tests.test_pages import Ride
from highstreet.web.courier.tests.test_pages import ride as ride
from tests.conftest import Add

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "highstreet"
JPG = (ROOT / "docs/screenshots/checkout-1280.jpg").read_bytes()
WEBP = (SOURCE / "web/ui/static/art/avocado.webp").read_bytes()
SCRIPT = b"<script>alert(document.domain)</script>"
HTML = b"<!doctype html><html><body>" + SCRIPT + b"</body></html>"


def chunk(name: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")


def png(width: int = 1, height: int = 1, *extra: bytes, after: bytes = b"") -> bytes:
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    data = chunk(b"IDAT", zlib.compress(b"\x00\x00"))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(extra) + data + chunk(b"IEND", b"") + after


def zipped(content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.html", content)
    return made.getvalue()


def jpeg_segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def riff(kind: bytes, *chunks: bytes) -> bytes:
    body = kind + b"".join(chunks)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


POLYGLOTS = {
    "an SVG with a script": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "an SVG behind an XML head": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
    "XML with an entity": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "a page": HTML,
    "GIF and JavaScript": b"GIF89a/*" + bytes(40) + b"*/=alert(1)//",
    "a GIF": b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
    "BMP and JavaScript": b"BM/*" + bytes(60) + b"*/=1;alert(1)",
    "a PDF": b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj",
    "an archive": zipped(HTML),
    "a bomb": zipped(bytes(5_000_000)),
    "a gzip bomb": gzip.compress(bytes(5_000_000)),
    "JPEG's first bytes and a page": b"\xff\xd8\xff\xe0" + HTML,
    "a JPEG and a page behind it": JPG + HTML,
    "a JPEG and an archive behind it": JPG + zipped(HTML),
    "a JPEG without its end": JPG[:-2],
    "a JPEG of 65,535 × 65,535": re.sub(rb"(\xff\xc0..\x08)....", b"\\1\xff\xff\xff\xff", JPG, count=1, flags=re.S),
    "PNG's first bytes and a page": b"\x89PNG\r\n\x1a\n" + HTML,
    "a PNG and a page behind it": png(after=HTML),
    "a PNG and an archive behind it": png(after=zipped(HTML)),
    "a PNG of 2^31 × 2^31": png(0x7FFFFFFF, 0x7FFFFFFF),
    "a PNG of nothing": png(0, 0),
    "a PNG whose sums are wrong": png()[:-4] + bytes(4),
    "a PNG without a picture": b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13)) + chunk(b"IEND", b""),
    "a WebP and a page behind it": WEBP + HTML,
    "a RIFF that is a sound": riff(b"WAVE", b"fmt \x04\x00\x00\x00abcd"),
    "a WebP that is a page": riff(
        b"WEBP", b"VP8 " + len(HTML).to_bytes(4, "little") + HTML + b"\x00" * (len(HTML) % 2)
    ),
    "an AVIF": b"\x00\x00\x00\x1cftypavif" + bytes(40),
    "an icon": b"\x00\x00\x01\x00\x01\x00" + bytes(40),
    "nothing": b"",
    "more than is kept": png(1, 1, chunk(b"tEXt", bytes(400_000))),
}
# Pictures with something hostile or private beside the picture: taken, without it.
CARRIERS = {
    "image/jpeg": JPG[:2]
    + jpeg_segment(0xE1, b"Exif\x00\x00GPS -30.03 " + SCRIPT)
    + jpeg_segment(0xFE, SCRIPT)
    + JPG[2:],
    "image/png": png(1, 1, chunk(b"tEXt", b"Comment\x00" + SCRIPT), chunk(b"eXIf", b"GPS " + SCRIPT)),
    "image/webp": riff(b"WEBP", WEBP[12:], b"EXIF" + (44).to_bytes(4, "little") + SCRIPT + bytes(44 - len(SCRIPT))),
}


def test_what_can_be_uploaded_is_known() -> None:
    """One form: the courier's photo. A second one fails here until it has tests of its own."""
    files = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.FileField)
    ]
    assert files == []
    readers = [
        str(path.relative_to(SOURCE))
        for path in sorted(SOURCE.rglob("*.py"))
        if "/tests/" not in str(path)
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr == "FILES")
        or (isinstance(node, ast.Name) and node.id in ("FileField", "ImageField", "UploadedFile"))
    ]
    assert readers == ["web/courier/pages.py"]
    forms = [
        str(path.relative_to(SOURCE)) for path in sorted(SOURCE.rglob("*.html")) if 'type="file"' in path.read_text()
    ]
    assert all(path.startswith("web/courier/") for path in forms) and len(forms) == 1, forms


def test_the_admin_imports_nothing() -> None:
    """Were an import or export added to a table: its formulas are escaped (settings), and this test says so."""
    from django.conf import settings
    from import_export.mixins import BaseExportMixin, BaseImportMixin

    found = [
        model.__name__
        for model, one in admin.site._registry.items()
        if isinstance(one, BaseImportMixin | BaseExportMixin)
    ]
    assert found == []
    assert settings.IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT is True


@pytest.mark.django_db
def test_no_polyglot_is_a_photo_by_either_door(ride: Ride, row: Add) -> None:
    """The courier's form, and the API, which takes a data: URL and calls the file what the sender likes."""
    ride.go("accept", "arrive_store", "pick_up")
    user = Courier.objects.get(pk=ride.courier).user_id
    token = issue_token(actor=THE_SYSTEM, user_id=user)
    wrong, sent = [], 0
    for name, data in POLYGLOTS.items():
        for kind in ("image/jpeg", "image/png", "image/webp", "image/svg+xml", "text/html"):
            url = f"data:{kind};base64,{b64encode(data).decode()}"
            answers = [by_api(ride, token, url)]
            if kind == "image/jpeg":
                photo = SimpleUploadedFile("photo.jpg", data, content_type=kind)
                answers.append(ride.client.post(f"{ride.stop}/deliver", {"photo": photo}).status_code)
            sent += len(answers)
            wrong += [f"{name} as {kind}: {code}" for code in answers if code not in (413, 422)]
    assert wrong == []
    row_ = Delivery.objects.get(pk=ride.delivery)
    assert (row_.status, row_.proof) == ("picked_up", "")
    row("W4", f"{len(POLYGLOTS)} polyglots as a courier's photo, by form and API", n=sent, accepted=0, refused=sent)


def by_api(ride: Ride, token: str, url: str) -> int:
    answer = ride.client.post(
        f"/api/v1/deliveries/{ids.public('dlv', ride.delivery)}/deliver",
        {"proof_kind": "photo", "proof": url},
        "application/json",
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": ids.random_token(12)},
    )
    return int(answer.status_code)


@pytest.mark.parametrize("kind", CARRIERS)
def test_a_photo_loses_what_is_beside_the_picture(kind: str) -> None:
    url = photos.kept(f"data:{kind};base64,{b64encode(CARRIERS[kind]).decode()}")
    assert url.startswith(f"data:{kind};base64,")
    clean = b64decode(url.partition(",")[2])
    assert SCRIPT in CARRIERS[kind] and SCRIPT not in clean and b"GPS" not in clean
    assert photos.kept(url) == url


@pytest.mark.django_db
def test_a_real_photo_is_proof(ride: Ride) -> None:
    ride.go("accept", "arrive_store", "pick_up")
    photo = SimpleUploadedFile("photo", CARRIERS["image/jpeg"], content_type="text/html")
    assert ride.client.post(f"{ride.stop}/deliver", {"photo": photo}).status_code == 302
    kept: Any = Delivery.objects.get(pk=ride.delivery).proof
    assert kept.startswith("data:image/jpeg;base64,") and len(kept) < len(CARRIERS["image/jpeg"]) * 4 / 3 + 40
