"""Both protocols against the running sandbox, call by call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from highstreet.delivery.fleets import providers
from highstreet.delivery.fleets.dialects import wechat
from highstreet.delivery.fleets.providers import (
    Asked,
    FleetProvider,
    FleetRefused,
    FleetUnavailable,
    Known,
    Place,
)
from highstreet.delivery.fleets.tests.support import MEITUAN_SECRETS, WECHAT_SECRETS
from highstreet.kernel import clock

from .running import Running, free_port

SECRETS = {"wechat": WECHAT_SECRETS, "meituan": MEITUAN_SECRETS}
ROOT = {"wechat": "", "meituan": "/api"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One that tells nobody anything: the callbacks' address is nobody's."""
    folder: Path = tmp_path_factory.mktemp("sandbox")
    nobody = {"notify_url": f"http://127.0.0.1:{free_port()}/"}
    made = Running(free_port(), folder, {name: {**secrets, **nobody} for name, secrets in SECRETS.items()})
    yield made
    made.stop()


@pytest.fixture(params=sorted(SECRETS))
def spoken(request: pytest.FixtureRequest, running: Running, settings: Any) -> tuple[str, FleetProvider]:
    settings.DEV = True
    running.faults()
    name = str(request.param)
    return name, providers.provider(name, SECRETS[name], f"{str(running.http.base_url).rstrip('/')}{ROOT[name]}")


def asked(number: str, serial: int = 7) -> Asked:
    now = clock.now()
    shop = Place("一店", "021-1", "路 1", 31.23, 121.47)
    door = replace(shop, phone="13800001234", address="路 2", lat=31.24)
    return Asked(
        number, serial, "ABC123", "no-1", shop, door, "上海市", "ring", 2590, 3, now, now + timedelta(minutes=40)
    )


def test_quoted_created_once_found_and_called_off(spoken: tuple[str, FleetProvider], running: Running) -> None:
    name, speaker = spoken
    number = f"one-{name}"
    wish = asked(number)
    quote = speaker.quote(wish)
    assert quote.fee == 720
    first = speaker.create(wish, quote)
    assert speaker.create(wish, quote) == first, "a number is one order, however often it is asked for"
    assert sum(1 for ride in running.seen()["rides"] if ride["number"] == number) == 1
    known = Known(number, 7, "no-1", first)
    told = speaker.query(known, clock.now())
    assert told is not None and (told.number, told.provider_id) == (number, first)
    assert told.code == {"wechat": "101", "meituan": "0"}[name] and told.courier_name == ""
    assert speaker.cancel(known, "cancelled") == 0, "nobody had set out"
    told = speaker.query(known, clock.now())
    assert told is not None and told.code == {"wechat": "103", "meituan": "99"}[name]
    with pytest.raises(FleetRefused):
        speaker.cancel(known, "again")
    codes = [ride["codes"] for ride in running.seen()["rides"] if ride["number"] == number]
    assert codes == [{"wechat": ["101", "103"], "meituan": ["0", "99"]}[name]], "what there was to tell, in its order"


def test_what_it_does_not_know_it_does_not_make_up(spoken: tuple[str, FleetProvider]) -> None:
    assert spoken[1].query(Known("nothing", 1, "no-1", "w0"), clock.now()) is None
    with pytest.raises(FleetRefused):
        spoken[1].cancel(Known("nothing", 1, "no-1", "w0"), "cancelled")


def test_refusals_and_trouble_are_told_apart(spoken: tuple[str, FleetProvider], running: Running) -> None:
    name, speaker = spoken
    wish = asked(f"two-{name}")
    quote = speaker.quote(wish)
    running.faults(refuse=True)
    with pytest.raises(FleetRefused):
        speaker.create(wish, quote)
    running.faults(lost_answer=True)
    with pytest.raises(FleetUnavailable):
        speaker.create(wish, quote)
    assert speaker.create(wish, quote), "it was taken all the same"
    running.faults(down=True)
    with pytest.raises(FleetUnavailable):
        speaker.quote(wish)


def test_another_secret_opens_nothing(spoken: tuple[str, FleetProvider], running: Running) -> None:
    name, _ = spoken
    root = f"{str(running.http.base_url).rstrip('/')}{ROOT[name]}"
    wrong = {"wechat": {"shop_secret": "x"}, "meituan": {"secret": "x"}}[name]
    stranger = providers.provider(name, {**SECRETS[name], **wrong}, root)
    with pytest.raises(FleetRefused):
        stranger.quote(asked("three"))


def test_an_access_token_that_ended_is_asked_for_anew(running: Running, settings: Any) -> None:
    settings.DEV = True
    running.faults()
    root = str(running.http.base_url).rstrip("/")
    speaker = providers.provider("wechat", WECHAT_SECRETS, root)
    wechat._tokens[f"{root} {WECHAT_SECRETS['appid']}"] = ("an-old-one", clock.wall() + 1000)
    assert speaker.quote(asked("four")).fee == 720


def test_a_fleet_that_is_not_there_says_nothing(settings: Any) -> None:
    settings.DEV = True
    speaker = providers.provider("meituan", MEITUAN_SECRETS, f"http://127.0.0.1:{free_port()}")
    with pytest.raises(FleetUnavailable):
        speaker.quote(asked("five"))
    settings.DEV = False
    private = providers.provider("meituan", MEITUAN_SECRETS, "https://10.0.0.1")
    with pytest.raises(FleetUnavailable, match="address"):
        private.quote(asked("six"))


def test_a_switch_that_is_none_is_refused(running: Running) -> None:
    for wrong in ({"repeat": True}, {"nonsense": 1}, {"shuffle": 1}):
        assert running.http.post("/sandbox/faults", json=wrong).status_code == 400
