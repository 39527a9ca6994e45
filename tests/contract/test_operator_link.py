"""The operator's page behind a link that dies without a word, as a tablet's wireless does."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from edge.recipe.recipe import open_recipe
from tests.brokers import HOST
from tests.browser import chromium
from tests.faults.proxy import Proxy
from tests.lines import BAD, GOOD
from tests.pages import page_open, some_pixels

PATIENCE_MS = 120_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def test_a_connection_that_is_dead_without_a_word_is_opened_again_by_the_page(
    browser: Browser, recipe_dir: Path, tmp_path: Path
) -> None:
    with page_open(tmp_path, open_recipe(recipe_dir), silent_s=3600) as page, Proxy(page.port) as link:
        tab = browser.new_page()
        tab.set_default_timeout(PATIENCE_MS)
        tab.goto(f"http://{HOST}:{link.port}")
        page.judge(GOOD, "before", some_pixels())
        tab.wait_for_selector("#lamp.ok")
        expect(tab.locator("#whose")).to_have_text("before · OK", timeout=PATIENCE_MS)
        link.strand()
        page.judge(BAD, "after", some_pixels())
        # It is said first, and then mended without anybody's doing.
        tab.wait_for_selector("#lamp.lost")
        tab.wait_for_selector("#lamp.nok")
        # The browser may still ask for pictures by other connections that are dead, and finds that out one by one.
        deadline_s = time.monotonic() + PATIENCE_MS / 1000
        while "later" not in tab.locator("#whose").inner_text():
            assert time.monotonic() < deadline_s, "no picture"
            page.judge(BAD, "later", some_pixels())
            tab.wait_for_timeout(500)
        tab.close()
