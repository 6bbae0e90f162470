"""Every page through the gates of UX.md. A part of the table runs always, the whole of it with `long`."""

from __future__ import annotations

import pytest

from .chrome import Chrome, View
from .inspect import Inspector, report
from .places import World, english_messages
from .town import Town

PHONE_ZH, DESK_EN = View("zh-hans", 360), View("en", 1280)
DARK = View("en", 360, dark=True)
ALL = [View(language, width, dark) for language in ("zh-hans", "en") for width in (360, 1280) for dark in (False, True)]
DESK_ALSO = {"home", "checkout", "store queue", "console overview", "console order"}
DARK_ALSO = {"home", "checkout", "tracking", "store pick list", "courier on shift"}


@pytest.fixture(scope="session")
def world(town: Town) -> World:
    return World(town)


@pytest.mark.timeout(400)
def test_pages_hold(town: Town, chrome: Chrome, world: World) -> None:
    """Each page once, as a Chinese phone shows it; the busiest also as an English desktop and in the dark.

    What stands still while one tabs through (bars over fields) is looked at on the busiest. The other pages of who is
    signed in, those of signing in, and refusals wait for the long run.
    """
    inspector = Inspector(chrome, town, english_messages())
    seen = []
    for place in world.places():
        busy = place.name in DESK_ALSO | DARK_ALSO
        rest = place.user or place.path.startswith("/accounts/") or place.answers != 200
        if rest and not busy:
            continue
        seen.append(inspector.look(place, PHONE_ZH, walk=busy))
        if place.name in DESK_ALSO:
            seen.append(inspector.look(place, DESK_EN))
        if place.name in DARK_ALSO:
            seen.append(inspector.look(place, DARK, walk=False))
    assert not report(seen), "\n" + report(seen)


@pytest.mark.long
@pytest.mark.parametrize("view", ALL, ids=str)
def test_every_page_in_every_view(town: Town, chrome: Chrome, world: World, view: View) -> None:
    # A lock ends by itself after a quarter of an hour: long enough for one view, not for eight.
    world.keep_locked()
    inspector = Inspector(chrome, town, english_messages())
    seen = [inspector.look(place, view) for place in world.places()]
    assert not report(seen), "\n" + report(seen)
