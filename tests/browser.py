"""A page as a browser shows it: Debian's Chromium without a screen."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

WIDE, PHONE = (1280, 900), (390, 844)
_SETTLED_MS = 10_000

_IDLE = "() => typeof Bokeh === 'undefined' || (Bokeh.documents.length > 0 && Bokeh.documents.every(each => each.is_idle))"

_CHARTS = """() => [...document.querySelectorAll('.chart')].map(chart => {
  const canvases = node => [...(node.tagName === 'CANVAS' ? [node] : []), ...[...node.children].flatMap(canvases),
                            ...(node.shadowRoot ? [...node.shadowRoot.children].flatMap(canvases) : [])];
  const drawn = c => c.width && c.height && c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v);
  return canvases(chart).some(drawn);
})"""


@dataclass(frozen=True)
class Shown:
    """What a browser made of a page. charts: whether each of them drew anything."""

    complaints: list[str]
    fetched: list[str]
    too_wide: bool
    charts: list[bool]
    broken_pictures: int
    text: str


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, for as long as the block runs."""
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=sandbox)
        try:
            yield browser
        finally:
            browser.close()


def look(browser: Browser, page: Path, size: tuple[int, int] = WIDE) -> Shown:
    """Open a page and wait until its charts are drawn."""
    complaints: list[str] = []
    fetched: list[str] = []
    tab = browser.new_page(viewport={"width": size[0], "height": size[1]})
    tab.on("console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda request: fetched.append(request.url) if not request.url.startswith("data:") else None)
    tab.goto(page.resolve().as_uri())
    tab.wait_for_function(_IDLE, timeout=_SETTLED_MS)
    for picture in tab.query_selector_all("img"):
        picture.scroll_into_view_if_needed()
    said = list(complaints)  # reading the canvases back makes the browser complain of us
    shown = Shown(
        complaints=said,
        fetched=[url for url in fetched if url != page.resolve().as_uri()],
        too_wide=tab.evaluate("document.documentElement.scrollWidth > window.innerWidth"),
        charts=tab.evaluate(_CHARTS),
        broken_pictures=tab.evaluate("[...document.images].filter(i => i.complete && !i.naturalWidth).length"),
        text=tab.inner_text("body"),
    )
    tab.close()
    return shown
