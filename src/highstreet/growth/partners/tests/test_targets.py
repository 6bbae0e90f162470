"""W3: wherever a webhook's URL points or comes to point, our own network is not reached. No database."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from highstreet.growth.partners.tests.support import Receiver, receiving
from highstreet.kernel import outward
from highstreet.kernel.outward import Barred, Outward, Unreachable

OPEN = "93.184.216.34"
# {port} is a socket that listens on 127.0.0.1. Names that no resolver knows are looked up in NAMES.
FORMS = {
    "loopback": "https://127.0.0.1:{port}/",
    "loopback on an allowed port": "https://127.0.0.1:8443/",
    "plain http": "http://127.0.0.1:{port}/",
    "a port that is not ours": "https://open.example:{port}/",
    "localhost": "https://localhost:8443/",
    "decimal": "https://2130706433:8443/",
    "octal": "https://0177.0.0.1:8443/",
    "hex": "https://0x7f000001:8443/",
    "short": "https://127.1:8443/",
    "zero": "https://0.0.0.0:8443/",
    "IPv6 loopback": "https://[::1]:8443/",
    "IPv6 unspecified": "https://[::]:8443/",
    "IPv4 mapped": "https://[::ffff:127.0.0.1]:8443/",
    "IPv4 mapped in hex": "https://[::ffff:7f00:1]:8443/",
    "IPv4 compatible": "https://[::127.0.0.1]:8443/",
    "NAT64": "https://[64:ff9b::7f00:1]:8443/",
    "6to4": "https://[2002:7f00:1::]:8443/",
    "Teredo": "https://[2001:0:7f00:1::]:8443/",
    "link-local IPv6": "https://[fe80::1]:8443/",
    "unique local IPv6": "https://[fd00:ec2::254]:8443/",
    "ten": "https://10.0.0.1/",
    "one nine two": "https://192.168.1.1/",
    "one seven two": "https://172.16.0.1/",
    "metadata": "https://169.254.169.254/latest/meta-data/",
    "Alibaba's metadata": "https://100.100.100.200/latest/meta-data/",
    "Azure's host": "https://168.63.129.16/",
    "multicast": "https://224.0.0.1/",
    "broadcast": "https://255.255.255.255/",
    "a name that leads inside": "https://inside.example:8443/",
    "a name that leads both ways": "https://both.example:8443/",
    "user info": "https://open.example@127.0.0.1:8443/",
    "user info the other way": "https://127.0.0.1:8443@open.example/",
    "a backslash": "https://open.example\\@127.0.0.1:8443/",
    "a fragment": "https://open.example#@127.0.0.1:8443/",
    "full-width digits": "https://①②⑦.⓪.⓪.①:8443/",
    "an ideographic stop": "https://127。0。0。1:8443/",
    "a zone": "https://[fe80::1%25eth0]:8443/",
    "a NUL": "https://open.example\x00.127.0.0.1:8443/",
    "a line end": "https://open.example\r\nHost: 127.0.0.1/",
    "another scheme": "gopher://127.0.0.1:{port}/",
    "a file": "file:///etc/passwd",
    "no host": "https:///hook",
}
NAMES = {
    "open.example": [OPEN],
    "inside.example": ["127.0.0.1"],
    "both.example": [OPEN, "127.0.0.1"],
}


def lookup(name: str, port: int) -> list[str]:
    return NAMES[name] if name in NAMES else outward._resolve(name, port)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.mark.parametrize("form", FORMS)
def test_nobody_comes_to_a_private_address(form: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every allowed port is led to our listener, so that a connection past the guard would be seen there."""
    monkeypatch.setattr(outward, "PORTS", outward.PORTS | {receiver.port})
    url = FORMS[form].format(port=receiver.port).replace(":8443/", f":{receiver.port}/")
    if form == "a port that is not ours":
        monkeypatch.setattr(outward, "PORTS", frozenset({443, 8443}))
    with pytest.raises(Barred):
        Outward(resolve=lookup).addresses(url)
    with pytest.raises(Barred):
        Outward(resolve=lookup).post(url, b"{}", {})
    assert receiver.connections == 0


def test_without_the_guard_the_same_forms_do_arrive(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of W3: what keeps the forms out is the guard, not the sandbox we run in."""
    monkeypatch.setattr(outward, "PORTS", outward.PORTS | {receiver.port})
    monkeypatch.setattr(outward, "is_open", lambda address: True)
    came = set()
    for form in ("loopback", "localhost", "decimal", "octal", "hex", "short", "zero", "a name that leads inside"):
        before = receiver.connections
        url = FORMS[form].format(port=receiver.port).replace(":8443/", f":{receiver.port}/")
        with pytest.raises(Unreachable):
            Outward(resolve=lookup, total_seconds=1.0).post(url, b"{}", {})
        if receiver.connections > before:
            came.add(form)
    assert len(came) == 8


def test_the_sender_reaches_an_allowed_address(receiver: Receiver) -> None:
    answer = Outward(dev=True).post(receiver.url, b'{"a":1}', {"webhook-id": "evt_1"})
    assert (answer.status, answer.body) == (200, b"ok")
    assert receiver.heard[0].path == "/hook?shop=1"
    assert receiver.heard[0].headers["webhook-id"] == "evt_1"
    assert receiver.heard[0].headers["host"] == f"127.0.0.1:{receiver.port}"
    with pytest.raises(Barred):
        Outward(dev=False).post(receiver.url, b"{}", {})
    for url in (f"http://10.0.0.1:{receiver.port}/", f"http://{OPEN}/", "https://10.0.0.1/"):
        with pytest.raises(Barred):
            Outward(dev=True).post(url, b"{}", {})
    assert len(receiver.heard) == 1


def test_a_name_that_changes_its_mind_changes_nothing(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebinding: open when it was saved, ours when it is sent; or between the check and the connection."""
    monkeypatch.setattr(outward, "PORTS", outward.PORTS | {receiver.port})
    answers, asked = [[OPEN], ["127.0.0.1"]], []

    def rebinding(name: str, port: int) -> list[str]:
        asked.append(name)
        return answers[min(len(asked), 2) - 1]

    way = Outward(resolve=rebinding, total_seconds=0.5)
    url = f"https://turning.example:{receiver.port}/"
    way.addresses(url)
    with pytest.raises(Barred):
        way.post(url, b"{}", {})
    asked.clear()
    connected: list[str] = []

    def note(self: object, host: str, port: int, **rest: object) -> object:
        connected.append(host)
        raise httpcore.ConnectError("not today")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", note)
    with pytest.raises(Unreachable):
        way.post(url, b"{}", {})
    assert (asked, connected, receiver.connections) == (["turning.example"], [OPEN], 0)


def test_redirects_are_answers_and_not_followed(receiver: Receiver) -> None:
    with receiving() as inside:
        receiver.answers = [(code, b"", {"Location": inside.url}) for code in (301, 302, 303, 307, 308)]
        codes = [Outward(dev=True).post(receiver.url, b"{}", {}).status for _ in range(5)]
        assert codes == [301, 302, 303, 307, 308]
        assert inside.connections == 0


def test_an_answer_is_read_to_its_limit_and_no_longer_than_the_deadline(receiver: Receiver) -> None:
    receiver.answers = [(200, b"x" * 1_000_000, {})]
    assert len(Outward(dev=True).post(receiver.url, b"{}", {}).body) == outward.MAX_ANSWER
    receiver.drip, receiver.answers = True, [(200, b"y" * 100, {})]
    with pytest.raises(Unreachable) as slow:
        Outward(dev=True, total_seconds=0.6).post(receiver.url, b"{}", {})
    assert slow.value.code == "timeout"


def test_tls_is_spoken_with_the_name_and_not_with_the_address(tmp_path: Path) -> None:
    server, client, names = _tls(tmp_path)
    with receiving(server) as made:
        way = Outward(dev=True, resolve=lambda name, port: ["127.0.0.1"], tls=lambda: client)
        assert way.post(f"https://hooks.example:{made.port}/in", b"{}", {}).status == 200
        assert names == ["hooks.example"]
        assert made.heard[0].headers["host"] == f"hooks.example:{made.port}"
        with pytest.raises(Unreachable) as wrong:
            way.post(f"https://other.example:{made.port}/in", b"{}", {})
        assert wrong.value.code == "tls"
        assert len(made.heard) == 1


def test_what_is_open_to_everybody() -> None:
    assert all(outward.is_open(text) for text in (OPEN, "2606:2800:220:1:248:1893:25c8:1946"))
    shut = ("192.88.99.1", "2001:db8::1", "198.18.0.1", "203.0.113.1", "240.0.0.1", "ff02::1", "fec0::1", "100.64.0.1")
    assert not any(outward.is_open(text) for text in shut)
    assert ipaddress.ip_address("192.88.99.1").is_global  # which is why is_global alone does not do


def _tls(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext, list[str | None]]:
    """A server's context for hooks.example, a client's that trusts it, and the names that clients asked for."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "both.pem").write_bytes(pem + secret)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "both.pem")
    names: list[str | None] = []
    server.sni_callback = lambda sock, asked, context: names.append(asked)
    return server, ssl.create_default_context(cadata=pem.decode()), names
