"""The law page in a browser: the slider moves every curve, the address keeps where it stands, both charts can be taken away."""

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visitor, visiting

COLLAPSE = "document.querySelector('.tau-collapse')"


def opened(visitor: Visitor, stand_in: str, query: str = "") -> Page:
    page = visitor.open(f"{stand_in}/law?id=demo{query}")
    page.wait_for_selector(".tau-collapse .main-svg")
    return page


def last_times(page: Page) -> list[float]:
    found: list[float] = page.evaluate(f"{COLLAPSE}.data.filter(t => t.mode === 'lines+markers').map(t => t.x.at(-1))")
    return found


def test_the_slider_moves_every_curve_says_the_score_and_stays_in_the_address(visitor: Visitor, stand_in: str) -> None:
    page = opened(visitor, stand_in, "&a=1")
    assert last_times(page) == pytest.approx([450 / 16, 1100 / 32, 2400 / 64])
    slider = page.get_by_role("slider")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("location.search.includes('a=0.95')")
    page.wait_for_function(f"Math.abs({COLLAPSE}.data.find(t => t.mode === 'lines+markers').x.at(-1) - 450 / 16 ** 0.95) < 1e-6")
    assert "a = 0.95: score 0.0" in (slider.get_attribute("aria-valuetext") or "")
    expect(page.locator("[data-score]")).to_contain_text("a = 0.95")
    expect(slider).to_be_focused()
    visitor.keep("law")


def test_over_n_and_w_two_sliders_move_the_curves_and_one_click_shows_them_over_w_tau(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/law?id=widths&a=1")
    page.wait_for_selector(".tau-collapse .main-svg")
    expect(page.get_by_role("slider")).to_have_count(2)
    slider = page.get_by_role("slider", name="Exponent b")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.search.includes('b=-0.99')")
    expect(page.locator("[data-score]")).to_contain_text("a = 1.00, b = −0.99: score")
    expect(slider).to_be_focused()
    scale = "t.meta.at.n / t.meta.at.width ** 0.99"
    moved = f"data.filter(t => t.hovertemplate).every(t => Math.abs(t.x.at(-1) / t.meta.tau.at(-1) * {scale} - 1) < 1e-6)"
    page.wait_for_function(f"{COLLAPSE}.{moved}")
    page.get_by_role("button", name="W τ").click()
    page.wait_for_function("location.search.includes('b=-1.00')")
    page.wait_for_function(f"{COLLAPSE}.layout.xaxis.title.text.startsWith('τ W<sup>1.00</sup> / n<sup>1.00</sup>')")
    visitor.keep("law-widths")


def test_one_click_goes_to_the_best_exponent(visitor: Visitor, stand_in: str) -> None:
    page = opened(visitor, stand_in, "&a=0.2")
    page.get_by_role("button", name="Best 1.05").click()
    page.wait_for_function("location.search.includes('a=1.05')")
    expect(page.locator("[data-shown=a]")).to_have_text("1.05")


def test_an_address_restores_level_and_exponent_in_the_dark(browser: Browser, stand_in: str) -> None:
    with visiting(browser, width=1280, height=720, dark=True) as visitor:
        page = opened(visitor, stand_in, "&a=0.5&measure=0.5")
        expect(page.locator("[data-shown=a]")).to_have_text("0.50")
        expect(page.get_by_role("cell", name="first at or above 50 %")).to_be_visible()
        visitor.keep("law-dark")


def test_the_law_can_be_taken_away_for_paper(visitor: Visitor, stand_in: str, tmp_path: Path) -> None:
    page = opened(visitor, stand_in)
    page.get_by_text("Download: SVG, PDF, PNG, CSV").click()
    with page.expect_download() as download:
        page.get_by_label("Law as PNG, 85 mm wide").click()
    download.value.save_as(tmp_path / "law.png")
    with Image.open(tmp_path / "law.png") as image:
        assert image.width == pytest.approx(85 / 25.4 * 600, abs=4)


def test_the_tab_leads_from_watching_to_the_law(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=demo")
    page.get_by_role("link", name="Law").click()
    page.wait_for_selector(".tau-collapse .main-svg")
    assert "/law?id=demo" in page.evaluate("location.href")
