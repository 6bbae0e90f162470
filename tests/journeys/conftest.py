"""One town and one Chromium for all journeys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from .chrome import Chrome, launch
from .town import Town


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def town() -> Iterator[Town]:
    with Town() as town:
        yield town


# Not for the session: while Playwright's loop runs, this process counts as asynchronous, and other tests use Django.
@pytest.fixture(scope="module")
def _chrome(town: Town) -> Iterator[Chrome]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield Chrome(browser, town)
        browser.close()


@pytest.fixture
def chrome(_chrome: Chrome) -> Iterator[Chrome]:
    """The browser; what a test opened is closed after it."""
    yield _chrome
    _chrome.close_pages()
