"""What a page gives away: figures as SVG and PNG, their numbers as CSV, and a table that needs no eyes."""

import csv
import io
import re
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.chart import wait_for_chart
from tests.browser.conftest import Visitor

SVG = "{http://www.w3.org/2000/svg}"


def opened(visitor: Visitor, stand_in: str, query: str = "") -> Page:
    page = visitor.open(f"{stand_in}/experiment?id=demo{query}")
    wait_for_chart(page)
    page.get_by_text("Download: SVG, PDF, PNG, CSV").click()
    return page


def taken(page: Page, label: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_label(label, exact=True).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def sizes_of_type(root: ElementTree.Element) -> set[float]:
    styles = " ".join(item.get("style", "") for item in root.iter(f"{SVG}text"))
    return {float(size) for size in re.findall(r"font-size: ([\d.]+)px", styles)}


@pytest.mark.parametrize("width_mm", [85, 175])
def test_a_figure_for_paper_has_its_width_in_millimetres_and_type_of_eight_points(
    visitor: Visitor, stand_in: str, tmp_path: Path, width_mm: int
) -> None:
    path = taken(opened(visitor, stand_in), f"Quality as SVG, {width_mm} mm wide", tmp_path)
    assert re.fullmatch(rf"digits-demo-quality-[0-9a-f]{{8}}-{width_mm}mm\.svg", path.name)
    root = ElementTree.parse(path).getroot()
    assert float(root.get("width", "0")) == pytest.approx(width_mm / 25.4 * 96, abs=0.6)
    assert {round(size, 1) for size in sizes_of_type(root)} == {10.7}  # 8 points at 96 pixels an inch.
    assert "@font-face" in path.read_text()


def test_an_svg_holds_every_curve_of_the_figure(visitor: Visitor, stand_in: str, tmp_path: Path) -> None:
    root = ElementTree.parse(taken(opened(visitor, stand_in), "Memorized as SVG", tmp_path)).getroot()
    lines = [item for item in root.iter(f"{SVG}path") if "js-line" in item.get("class", "")]
    # f_mem and control of three runs, and the two edges of each band.
    assert len([line for line in lines if line.get("d")]) >= 6
    words = "".join(root.itertext())
    assert "held-out control" in words
    assert "n = 64" in words


def test_a_png_for_paper_has_six_hundred_dots_an_inch(visitor: Visitor, stand_in: str, tmp_path: Path) -> None:
    with Image.open(taken(opened(visitor, stand_in), "Memorized as PNG, 85 mm wide", tmp_path)) as image:
        assert image.width == pytest.approx(85 / 25.4 * 600, abs=4)
        assert len(image.convert("RGB").getcolors(1 << 24) or []) > 20


def test_a_png_as_on_screen_is_the_whole_figure_at_twice_its_size(visitor: Visitor, stand_in: str, tmp_path: Path) -> None:
    page = opened(visitor, stand_in)
    with Image.open(taken(page, "Whole figure, stacked as PNG", tmp_path)) as image:
        assert image.width == 2 * page.evaluate("document.querySelector('.tau-chart').clientWidth")


def test_the_path_can_be_taken_away(visitor: Visitor, stand_in: str, tmp_path: Path) -> None:
    path = taken(opened(visitor, stand_in, "&view=path"), "Whole figure, path as SVG, 175 mm wide", tmp_path)
    words = "".join(ElementTree.parse(path).getroot().itertext())
    assert "τ (log)" in words


def test_the_csv_of_a_chart_is_the_numbers_of_the_api(visitor: Visitor, stand_in: str, tmp_path: Path) -> None:
    page = opened(visitor, stand_in)
    row = page.get_by_role("row", name="Memorized")
    with page.expect_download() as download:
        row.get_by_role("link", name="CSV").click()
    assert re.fullmatch(r"digits-demo-memorization-[0-9a-f]{8}\.csv", download.value.suggested_filename)
    download.value.save_as(tmp_path / "numbers.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "numbers.csv").read_text())))
    runs = httpx.get(f"{stand_in}/api/v1/experiments/demo/curves").json()["runs"]
    known = {
        (run, metric, step, value)
        for run, found in runs.items()
        for metric in ("f_mem", "f_mem_control")
        for step, value in zip(found[metric]["step"], found[metric]["value"], strict=True)
    }
    assert {(item["run"], item["metric"], int(item["tau"]), float(item["value"])) for item in rows} == known


def test_the_figures_of_the_paper_can_be_taken_away_from_the_watch_page_and_from_the_law_page(
    visitor: Visitor, stand_in: str, tmp_path: Path
) -> None:
    page = opened(visitor, stand_in)
    path = taken(page, "Figure 2 as SVG, 85 mm wide", tmp_path)
    assert re.fullmatch(r"digits-demo-figure-2-[0-9a-f]{8}-85mm\.svg", path.name)
    root = ElementTree.parse(path).getroot()
    assert float(root.get("width", "").removesuffix("pt")) == pytest.approx(85 / 25.4 * 72, abs=0.01)
    page.goto(f"{stand_in}/law?id=demo")
    page.get_by_text("Download: SVG, PDF, PNG, CSV").click()
    assert taken(page, "Figure 3 as PDF, 175 mm wide", tmp_path).read_bytes().startswith(b"%PDF")


def test_the_data_table_opens_by_keyboard_and_is_sorted_by_run_and_time(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=demo")
    wait_for_chart(page)
    page.get_by_text("Data table").focus()
    page.keyboard.press("Enter")
    table = page.get_by_role("region", name=re.compile("Data: Memorized"))
    expect(table).to_be_visible()
    rows = [cells.split("\t") for cells in table.locator("tbody").inner_text().splitlines()]
    names = [row[0] for row in rows]
    assert names == sorted(names)
    times = [int(row[1].replace(",", "")) for row in rows if row[0] == "n = 64"]
    assert times == sorted(times)
    assert rows[0][-1] == "0.1 %"
    box = table.bounding_box()
    assert box is not None and box["height"] <= 440
    visitor.keep("watch-table")


def test_the_chart_says_in_words_what_it_found(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=demo")
    wait_for_chart(page)
    words = page.locator(".tau-chart").get_attribute("aria-label") or ""
    assert words.startswith("Quality arrives at τ ≈ 31 for every n. Copying waits: τ_mem ~ n to the power 1.06 (1.01 to 1.12)")
    assert "n = 16: tau_gen 31 (27 to 36), tau_mem 230 (216 to 246), window τ 36 to 216." in words
