"""Pages work in a browser without a network, on a wide screen, a phone and paper."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from calibration.page.blocks import Chart, Facts, Gallery, Page, Section, Shown, Table, Text
from calibration.page.charts import curve, histogram, roc, shares, trend
from calibration.page.pictures import jpeg, side_by_side
from calibration.page.render import as_html, write_page
from edge.errors import BadConfig
from tests.browser import PHONE, WIDE, chromium, look
from tests.commands import goodpart
from tests.conftest import part_picture

LONG = "a-very-long-name-of-a-picture-without-any-place-to-break-it-" * 3


def whole_page() -> Page:
    """Every kind of block, with text that would be markup if it were not escaped."""
    rng = np.random.default_rng(0)
    x = np.linspace(0, 1, 50)
    scores = {"good": rng.normal(2, 1, 100), "defects": rng.normal(5, 1, 40)}
    charts = (
        Chart(histogram(scores, threshold=4.0, band=(3.5, 4.5), gray_from=3.0), "scores"),
        Chart(roc(x, np.sqrt(x), "AUROC"), "ROC"),
        Chart(curve(x, {"rejected": 1 - x, "escaped": x}, x_name="threshold", y_name="share", threshold=0.5), "sweep"),
        Chart(trend(np.arange(50.0), {"score": x}, y="score", x="part", limits={"limit": 0.8}), "trend"),
    )
    words = (
        Text("1 < 2 & <script>alert('no')</script>", "warn"),
        Facts((("name", LONG), ("<b>", "&amp;"))),
        Table(("kind", "count"), ((LONG, "3"), ("</td>", "4")), frozenset({1})),
    )
    pictures = Gallery(tuple(Shown(jpeg(part_picture(n)), f"part-{n}", LONG, "bad") for n in range(3)))
    lead = Text("We are sure.", "good")
    return Page("Page <title>", lead, (Section("Words", words), Section("Charts", charts), Section("Pictures", (pictures,))))


def test_a_page_of_every_block_is_drawn_whole_wide_and_on_a_phone_and_fetches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_page(whole_page(), path)
    with chromium() as browser:
        for size in (WIDE, PHONE):
            shown = look(browser, path, size)
            assert (shown.complaints, shown.fetched, shown.broken_pictures) == ([], [], 0)
            assert shown.charts == [True] * 4
            assert not shown.too_wide
            for words in ("Page <title>", "<script>alert('no')</script>", "&amp;", "</td>", "We are sure."):
                assert words in shown.text


def test_the_pages_of_evaluate_and_threshold_are_clean_in_a_browser(
    recipe_dir: Path, test_set: Path, tmp_path: Path
) -> None:
    for command in (("evaluate", recipe_dir, test_set), ("threshold", recipe_dir, "--max-false-reject", "0.2")):
        assert goodpart("calibrate", *command, cwd=tmp_path).code == 0
    with chromium() as browser:
        for name, charts in (("evaluate-plate.html", 3), ("threshold-plate.html", 1)):
            for size in (WIDE, PHONE):
                shown = look(browser, tmp_path / name, size)
                assert (shown.complaints, shown.fetched, shown.broken_pictures) == ([], [], 0), name
                assert (shown.charts, shown.too_wide) == ([True] * charts, False), name


def test_a_page_without_charts_carries_no_script() -> None:
    page = Page("Plain", Text("Nothing to draw."), (Section("Words", (Text("x"),)),))
    assert "<script" not in as_html(page)


def test_charts_without_numbers_and_with_one_group_are_still_pages(tmp_path: Path) -> None:
    charts = (Chart(histogram({"good": np.array([np.nan])}), "none"), Chart(histogram({"odd": np.ones(3)}), "equal"))
    write_page(Page("Few", Text("few"), (Section("Charts", charts),)), tmp_path / "few.html")
    with chromium() as browser:
        assert look(browser, tmp_path / "few.html").complaints == []


def test_a_single_time_has_a_day_around_it() -> None:
    at = [datetime(2026, 3, 2, 6, 0, tzinfo=UTC)]
    for drawn in (trend(at, {"score": np.ones(1)}, y="score"), shares(at, {"rejects": (np.ones(1),) * 3}, y="%")):
        assert drawn.x_range.end - drawn.x_range.start == timedelta(days=1)


def test_a_page_that_cannot_be_written_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadConfig, match="--page"):
        write_page(Page("x", Text("x"), ()), tmp_path / "file" / "page.html")
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(BadConfig, match="--page"):
        write_page(Page("x", Text("x"), ()), tmp_path / "folder.html")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder.html"]


def test_pictures_of_different_heights_stand_side_by_side() -> None:
    small, large = np.zeros((40, 60, 3), np.uint8), np.full((80, 80, 3), 255, np.uint8)
    assert side_by_side([small, large]).shape == (40, 60 + 40, 3)
