"""The operator's page in a real browser, of a device that judges real cells."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from calibration.build import Plan, build
from calibration.demo.cells import labelled
from calibration.goods import PART_PATTERN
from calibration.normal import NEARBY
from calibration.progress import steps
from edge.capture.sources import shoot_file
from edge.loop import inspect
from edge.recipe.recipe import Recipe, open_recipe
from edge.types import Decision
from tests.brokers import answering, free_port
from tests.browser import PHONE, WIDE, chromium
from tests.conftest import GOODS, MAX_FALSE_REJECT, station_file
from tests.devices import Device
from tests.lines import BAD, GOOD, LOST
from tests.pages import TOKEN, page_open, some_pixels, token_file

SIZES = {"wide": WIDE, "hall": (1920, 1080), "tablet": (1024, 768), "upright": (768, 1024), "phone": PHONE}
EVIL = "<img src=x onerror=alert(1)>"
SOON_MS = 15_000


@dataclass
class Tab:
    """A page in the browser and everything that must not happen there."""

    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(SOON_MS)
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type != "log" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda sent: self.elsewhere.append(sent.url) if not self._is_own(sent.url) else None)

    def _is_own(self, url: str) -> bool:
        return url.startswith((f"{self.origin}/", f"blob:{self.origin}/"))

    def shows(self, lamp: str, words: str) -> None:
        """The lamp is, or becomes soon, of this kind and says this."""
        self.page.wait_for_selector(f"#lamp.{lamp}")
        expect(self.page.locator("#word")).to_have_text(words)

    def too_wide(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))

    def lamp_spills(self) -> bool:
        """Whether a word of the lamp is cut off."""
        return bool(
            self.page.evaluate(
                """() => ['#word', '#reason', '#part'].some(id => {
                     const inner = document.querySelector(id).getBoundingClientRect();
                     const outer = document.querySelector('#lamp').getBoundingClientRect();
                     return inner.left < outer.left - 1 || inner.right > outer.right + 1
                         || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1; })"""
            )
        )


def opened(browser: Browser, origin: str, size: tuple[int, int] = WIDE, path: str = "/") -> Tab:
    tab = Tab(browser.new_page(viewport={"width": size[0], "height": size[1]}), origin)
    tab.page.goto(origin + path)
    return tab


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[Path]]:
    """A recipe of real cells, one that it finds good and two that it rejects."""
    folder = tmp_path_factory.mktemp("cells")
    goods = labelled(0.0)
    (folder / "good").mkdir()
    for path in goods[:GOODS]:
        shutil.copy(path, folder / "good")
    with steps() as shown:
        build(
            Plan(
                *(folder / "good", folder / "r", "cell", PART_PATTERN),
                max_false_reject=MAX_FALSE_REJECT,
                score="top1",
                scaling="half",
                smoothing=NEARBY,
                bank_most=1000,
            ),
            shown,
        )
    recipe = open_recipe(folder / "r")
    rejected = (path for path in labelled(1.0) if inspect(shoot_file(path, 0), recipe).decision is Decision.NOK)
    good = next(path for path in goods if inspect(shoot_file(path, 0), recipe).decision is Decision.OK)
    return folder / "r", good, [next(rejected) for _ in range(2)]


@pytest.fixture(scope="module")
def recipe(cells: tuple[Path, Path, list[Path]]) -> Recipe:
    return open_recipe(cells[0])


def hand_over(incoming: Path, name: str, raw: bytes) -> None:
    """Put a picture where the device watches, whole at once."""
    draft = incoming / ".draft"
    draft.write_bytes(raw)
    os.rename(draft, incoming / name)  # noqa: PTH104 - a name with odd characters is meant as it is


@dataclass(frozen=True)
class Site:
    """A station whose device a test starts."""

    config: Path
    origin: str

    @property
    def incoming(self) -> Path:
        return self.config.parent / "incoming"

    def decisions(self) -> list[tuple[str, str]]:
        journal = self.config.parent / "station.decisions.jsonl"
        return [(line["decision"], line["who"]) for line in map(json.loads, journal.read_text().splitlines())]

    def verdicts(self) -> list[str]:
        return [json.loads(line)["verdict"] for line in (self.config.parent / "results.jsonl").read_text().splitlines()]


@pytest.fixture
def site(cells: tuple[Path, Path, list[Path]], tmp_path: Path) -> Site:
    port = free_port()
    (tmp_path / "incoming").mkdir()
    config = station_file(
        tmp_path,
        cells[0],
        {"kind": "watch", "path": "incoming", "poll_s": 0.02},
        results={"path": "results.jsonl"},
        evidence={"path": "evidence"},
        page={"port": port, "silent_s": 3},
    )
    return Site(config, f"http://127.0.0.1:{port}")


def test_an_operators_shift(browser: Browser, cells: tuple[Path, Path, list[Path]], site: Site) -> None:
    _, good, bad = cells
    with Device(site.config):
        device_is_up(browser, site.origin)
        tab, other = opened(browser, site.origin), opened(browser, site.origin, SIZES["upright"])
        tab.shows("silent", "NO NEWS")
        hand_over(site.incoming, "good.png", good.read_bytes())
        for each in (tab, other):
            each.shows("ok", "OK")
        hand_over(site.incoming, f"{EVIL}.png", bad[0].read_bytes())
        for each in (tab, other):
            each.shows("nok", "NOK")
        expect(tab.page.locator("#part")).to_contain_text(EVIL)
        expect(tab.page.locator("#whose")).to_have_text(f"{EVIL} · NOK")
        assert tab.page.evaluate("document.querySelector('#picture').naturalWidth") > 0
        hand_over(site.incoming, "broken.png", b"no picture")
        tab.shows("undecided", "NOT DECIDABLE")
        hand_over(site.incoming, "<script>alert(2)<script>.png", bad[1].read_bytes())
        expect(tab.page.locator("#cards li")).to_have_count(3)
        expect(tab.page.locator("#cards img")).to_have_count(2)
        tab.page.wait_for_function("[...document.querySelectorAll('#cards img')].every(each => each.naturalWidth > 0)")
        expect(tab.page.locator("#facts")).to_contain_text("4: 2 NOK, 1 NOT_DECIDABLE, 1 OK", timeout=SOON_MS)

        rule_in_turn(tab.page, other.page)
        assert site.decisions() == [("accepted", "AB"), ("undone", ""), ("confirmed", "AB")]
        assert site.verdicts() == ["OK", "NOK", "NOT_DECIDABLE", "NOK"]
        for each in (tab, other):
            assert (each.complaints, each.elsewhere) == ([], [])
            each.page.close()


def rule_in_turn(tab: Page, other: Page) -> None:
    """Two tablets rule on one part; each sees what the other has done."""
    card, seen = tab.locator("#cards li").last, other.locator("#cards li").last
    expect(card.locator(".name")).to_have_text(EVIL)
    tab.fill("#who", "AB")
    card.get_by_role("button", name="Accept").click()
    for each in (card, seen):
        expect(each.locator(".ruling p")).to_have_text("✓ Accepted as good by AB")
    expect(tab.locator("#said")).to_have_text(f"{EVIL}: Accepted as good.")
    seen.get_by_role("button", name="Undo").click()
    expect(card.get_by_role("button", name="Confirm")).to_be_visible()
    card.get_by_role("button", name="Confirm").press("Enter")
    expect(seen.locator(".ruling p")).to_have_text("✕ Confirmed defect by AB")
    card.get_by_role("button", name="Enlarge").click()
    expect(tab.locator("#large p")).to_contain_text(EVIL)
    tab.keyboard.press("Escape")


def test_a_green_lamp_is_never_stale(browser: Browser, cells: tuple[Path, Path, list[Path]], site: Site) -> None:
    good = cells[1].read_bytes()
    with Device(site.config) as device:
        device_is_up(browser, site.origin)
        kiosk = opened(browser, site.origin, WIDE, "/?lamp")
        hand_over(site.incoming, "1.png", good)
        kiosk.shows("ok", "OK")
        # No part comes any more.
        kiosk.shows("silent", "NO NEWS")
        hand_over(site.incoming, "2.png", good)
        kiosk.shows("ok", "OK")
        # It hangs: the connection stands, and nothing is said.
        device.send(signal.SIGSTOP)
        kiosk.shows("lost", "NO CONNECTION")
        device.send(signal.SIGCONT)
        hand_over(site.incoming, "3.png", good)
        kiosk.shows("ok", "OK")
        assert (kiosk.complaints, kiosk.elsewhere) == ([], [])
        device.send(signal.SIGKILL)
        kiosk.shows("lost", "NO CONNECTION")
    with Device(site.config):
        # By itself.
        kiosk.shows("silent", "NO NEWS")
        kiosk.page.close()


def device_is_up(browser: Browser, origin: str) -> None:
    """Wait until somebody answers there."""
    probe = browser.new_page()
    for _ in range(300):
        try:
            probe.goto(origin)
            break
        except Exception:  # noqa: BLE001 - whatever the browser calls it, nobody answers yet
            probe.wait_for_timeout(100)
    probe.close()


def test_nothing_is_cut_off_on_any_screen(browser: Browser, recipe: Recipe, tmp_path: Path) -> None:
    with page_open(tmp_path, recipe, silent_s=3600) as page:
        for number in range(3):
            page.judge(BAD, f"{EVIL}-{'long-' * 30}{number}", some_pixels(number))
        tabs = [opened(browser, page.origin), opened(browser, page.origin, path="/?lamp")]
        for lamp, verdict in (("ok", GOOD), ("nok", BAD), ("undecided", LOST), ("paused", None)):
            if verdict:
                page.judge(verdict, "a-part-with-quite-a-long-name-0815", some_pixels())
            else:
                page.line.controls.pause()
            for tab in tabs:
                tab.page.wait_for_selector(f"#lamp.{lamp}")
                for name, (width, height) in SIZES.items():
                    tab.page.set_viewport_size({"width": width, "height": height})
                    assert not tab.too_wide(), (lamp, name)
                    assert not tab.lamp_spills(), (lamp, name)
        for tab in tabs:
            assert (tab.complaints, tab.elsewhere) == ([], [])
            tab.page.close()


def test_the_token_opens_the_page(browser: Browser, recipe: Recipe, tmp_path: Path) -> None:
    with page_open(tmp_path, recipe, token_file=token_file(tmp_path)) as page:
        tab = opened(browser, page.origin, PHONE, "/?lamp")
        tab.page.fill("#token", "a wrong token, but a long one")
        tab.page.get_by_role("button", name="Open").click()
        expect(tab.page.get_by_role("alert")).to_have_text("That is not the token.")
        assert not tab.too_wide()
        tab.page.fill("#token", TOKEN)
        tab.page.get_by_role("button", name="Open").click()
        tab.shows("silent", "NO NEWS")
        assert tab.page.evaluate("document.body.className") == "lamp"
        assert tab.page.evaluate("document.cookie") == ""
        # Some time, browsers write into their console that the wrong token was refused, and what else they would ask for.
        known = ("status of 403", "Autofocus", "[DOM]")
        left = [said for said in tab.complaints if not any(each in said for each in known)]
        assert (left, tab.elsewhere) == ([], [])


def test_the_browser_of_an_older_tablet_shows_and_rules_as_well(browser: Browser, recipe: Recipe, tmp_path: Path) -> None:
    with page_open(tmp_path, recipe) as page:
        page.judge(BAD, pixels=some_pixels())
        tab = Tab(browser.new_page(), page.origin)
        tab.page.add_init_script("delete AbortSignal.timeout")
        tab.page.goto(page.origin)
        expect(tab.page.locator("#whose")).to_contain_text("NOK")
        tab.page.get_by_role("button", name="Confirm").click()
        expect(tab.page.locator("#cards .ruling p")).to_have_text("✕ Confirmed defect")
        assert (tab.complaints, tab.elsewhere) == ([], [])
        tab.page.close()


def test_another_sites_page_can_neither_rule_nor_read_nor_frame(browser: Browser, recipe: Recipe, tmp_path: Path) -> None:
    hello = b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\nhello"
    with page_open(tmp_path, recipe) as page, answering(hello) as (port, _):
        told = page.judge(BAD, pixels=some_pixels())
        tab = browser.new_page()
        tab.goto(f"http://127.0.0.1:{port}/")
        attack = """async ([origin, id]) => {
          const wish = { method: 'POST', mode: 'no-cors', body: '{"decision": "accepted", "who": ""}' };
          await fetch(`${origin}/rejects/${id}`, wish).catch(() => null);
          const frame = document.body.appendChild(document.createElement('iframe'));
          const framed = new Promise(done => { frame.onload = done; });
          frame.src = origin;
          await framed;
          return fetch(`${origin}/rejects/${id}.jpg`).then(() => 'read', () => 'refused');
        }"""
        assert tab.evaluate(attack, [page.origin, told.result_id]) == "refused"
        assert [frame.url for frame in tab.frames[1:]] == ["chrome-error://chromewebdata/"]
        assert page.journal.read_text() == ""
        tab.close()
