"""Comparing in a browser: from the list to the figure by keyboard, an address in a fresh browser, live points, what is taken away."""

import csv
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.chart import time_range, wait_for_chart, zoom
from tests.browser.conftest import Visitor, grow_anew, visiting

SVG = "{http://www.w3.org/2000/svg}"
LINES = "document.querySelector('.tau-chart').data.filter(trace => trace.meta?.group && trace.yaxis === 'y2')"


def opened(visitor: Visitor, stand_in: str, query: str) -> Page:
    page = visitor.open(f"{stand_in}/compare?{query}")
    wait_for_chart(page)
    return page


def test_two_experiments_go_from_the_list_to_the_figure_by_keyboard(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiments")
    for name in ("digits-demo", "digits, never good"):
        page.get_by_role("checkbox", name=f"Choose {name} for a comparison").focus()
        page.keyboard.press("Space")
        expect(page.get_by_role("checkbox", name=f"Choose {name} for a comparison")).to_be_checked()
    page.wait_for_function("location.search.includes('pick=demo%2Cnever')")
    page.reload()
    expect(page.get_by_text("2 chosen")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Choose digits-demo for a comparison")).to_be_checked()
    visitor.keep("experiments-picked")
    page.locator(".tau-picked").get_by_role("link", name="Compare").focus()
    page.keyboard.press("Enter")
    wait_for_chart(page)
    expect(page.locator(".tau-finding")).to_contain_text("5 runs of 2 experiments")
    assert page.evaluate(f"{LINES}.length") == 5
    assert page.evaluate(f"new Set({LINES}.map(trace => trace.line.dash)).size") == 2


def test_an_address_restores_runs_axis_metric_and_focus_in_a_fresh_browser(browser: Browser, stand_in: str) -> None:
    with visiting(browser, width=1280, height=720, dark=True) as visitor:
        page = opened(visitor, stand_in, "runs=demor0,wider2&axis=tau_n&metric=frechet_pca&focus=B/wider2")
        expect(page.locator(".tau-finding")).to_contain_text("2 runs of 2 experiments")
        assert page.evaluate(f"{LINES}.map(trace => trace.x.at(-1))") == pytest.approx([450 / 16, 2400 / 64])
        assert page.evaluate(f"{LINES}.map(trace => trace.line.width)") == [2, 3]
        expect(page.get_by_role("radio", name="Fréchet distance")).to_be_checked()
        expect(page.get_by_text("measured otherwise than in A")).to_have_count(1)
        visitor.keep("compare-deep-link-dark")


def test_an_experiment_is_added_by_name_and_taken_out_again(visitor: Visitor, stand_in: str) -> None:
    page = opened(visitor, stand_in, "experiments=demo")
    page.get_by_role("combobox").first.click()
    page.get_by_role("option", name="digits, never good").click()
    page.wait_for_function("location.search.includes('demo%2Cnever')")
    page.wait_for_function(f"{LINES}.length === 5")
    page.get_by_role("button", name="Take A, digits-demo, out of the comparison").click()
    page.wait_for_function(f"{LINES}.length === 2")
    assert "experiments=never" in page.evaluate("location.search")


def test_a_running_experiment_grows_in_the_comparison_and_the_zoom_stays(visitor: Visitor, stand_in: str) -> None:
    grow_anew(stand_in)
    page = opened(visitor, stand_in, "experiments=demo,live")
    chosen = zoom(page)
    before = page.evaluate(f"{LINES}.reduce((sum, trace) => sum + trace.x.length, 0)")
    page.wait_for_function(f"(least) => {LINES}.reduce((sum, trace) => sum + trace.x.length, 0) > least", arg=before + 3, timeout=25_000)
    assert time_range(page) == pytest.approx(chosen)


def test_a_row_of_the_results_brings_its_line_forward_and_once_more_lets_it_go(visitor: Visitor, stand_in: str) -> None:
    page = opened(visitor, stand_in, "experiments=demo")
    page.get_by_role("button", name="n = 32").click()
    page.wait_for_function("location.search.includes('focus=A%2Fdemor1')")
    page.wait_for_function(f"{LINES}.map(trace => trace.line.width).join() === '2,3,2'")
    page.get_by_role("button", name="n = 32").click()
    page.wait_for_function(f"{LINES}.map(trace => trace.line.width).join() === '2,2,2'")


def test_the_figure_and_its_numbers_can_be_taken_away(visitor: Visitor, stand_in: str, tmp_path: Path) -> None:
    page = opened(visitor, stand_in, "experiments=demo,seeds")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export figure").click()
    download.value.save_as(tmp_path / "figure.svg")
    assert download.value.suggested_filename.startswith("compare-")
    words = "".join(ElementTree.parse(tmp_path / "figure.svg").getroot().itertext())
    assert "A  digits-demo" in words.replace("\xa0", " ")
    assert "held-out control" in words
    page.get_by_text("Download: SVG, PDF, PNG, CSV").click()
    with page.expect_download() as download:
        page.get_by_label("Both panels as PNG, 175 mm wide").click()
    download.value.save_as(tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as image:
        assert image.width == pytest.approx(175 / 25.4 * 600, abs=4)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    download.value.save_as(tmp_path / "numbers.csv")
    rows = list(csv.DictReader((tmp_path / "numbers.csv").read_text().splitlines()))
    assert len({row["run"] for row in rows}) == 11
    assert {"f_mem", "f_mem_control", "loss_held_out@100"} == {row["metric"] for row in rows}
