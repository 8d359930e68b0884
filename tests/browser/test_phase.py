"""The phase page in a browser: a tile leads to what it was read off, by the pointer and by the keyboard, and so does its address."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visitor, visiting

CHART = "[data-chart=phase] .main-svg"


def test_the_tab_leads_to_the_diagram_and_a_tile_shows_its_cell(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=phases")
    page.get_by_role("link", name="Phase diagram", exact=True).click()
    page.wait_for_selector(CHART)
    expect(page.locator("[data-region=finding]")).to_contain_text("n* at p = 44,969: 32 to 64.")
    place = page.evaluate(
        """() => {
            const chart = document.querySelector("[data-chart=phase]");
            const { xaxis, yaxis } = chart._fullLayout;
            const box = chart.getBoundingClientRect();
            return [box.left + xaxis._offset + xaxis.d2p(64), box.top + yaxis._offset + yaxis.d2p(44969)];
        }"""
    )
    page.mouse.move(*place)
    page.mouse.click(*place)
    expect(page.get_by_role("region", name="Cell n = 64, p = 44,969")).to_contain_text("predicted τmem")
    page.wait_for_url("**cell=64x44969*")
    visitor.keep("phase")


def test_the_table_does_the_same_by_keyboard_and_the_address_restores_it(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/phase?id=phases")
    page.wait_for_selector(CHART)
    page.locator("[data-cell='8x176849']").focus()
    page.keyboard.press("Enter")
    card = page.get_by_role("region", name="Cell n = 8, p = 176,849")
    expect(card).to_contain_text("memorizes")
    page.reload()
    expect(card).to_be_visible()
    card.get_by_role("link", name="Curves of these runs").click()
    page.wait_for_url("**/compare?runs=*")


def test_the_diagram_holds_in_the_dark_on_a_phone_and_can_be_taken_away(browser: Browser, stand_in: str, tmp_path: Path) -> None:
    with visiting(browser, width=390, height=844, dark=True) as visitor:
        page = visitor.open(f"{stand_in}/phase?id=phases")
        page.wait_for_selector(CHART)
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
        visitor.keep("phase-dark-390")
        page.get_by_text("Download: SVG, PDF, PNG, CSV").click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Phase diagram as SVG", exact=True).click()
        download.value.save_as(tmp_path / "phase.svg")
        assert "memorizes" in (tmp_path / "phase.svg").read_text() or ">M<" in (tmp_path / "phase.svg").read_text()
