"""The board of copied training images: beside the film strip, by keyboard, in the address, on a phone, and to take away."""

import csv
import io
import re

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visitor, visiting
from tests.browser.gallery import cards, wait_for_cards

AT = "/inspect?run=demor2&step=1763"
ROWS = "[data-region=board] .tau-ranked"


def wait_for_board(page: Page, step: str) -> None:
    expect(page.locator("[data-region=board]")).to_contain_text(f"τ = {step}", timeout=20_000)


def test_a_row_shows_every_sample_that_copies_its_image_and_leads_back(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(stand_in + AT)
    wait_for_cards(page)
    wait_for_board(page, "1,763")
    page.wait_for_function(f"[...document.querySelectorAll('{ROWS} canvas')].every((canvas) => canvas.dataset.painted)")
    row = page.locator(ROWS).first
    found = re.match(r"image (\d+) (\d+) of 384", row.inner_text())
    assert found is not None
    image, copies = found[1], int(found[2])
    row.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"new URLSearchParams(location.search).get('train') === '{image}'")
    expect(page.locator(".tau-sample")).to_have_count(copies)
    expect(page.locator(".tau-enlarged .tau-copied").first).to_have_text(f"Copy of training image {image}")
    expect(page.locator(".tau-about")).to_contain_text(f"{copies} of 384 copied")
    expect(row).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("document.activeElement.dataset.train") == image, "the keyboard keeps its place"
    visitor.keep("inspect-copied")
    page.get_by_role("button", name="Show all samples").click()
    page.wait_for_function("!location.search.includes('train=')")
    expect(page.locator(".tau-about")).to_have_count(0)
    expect(row).to_have_attribute("aria-pressed", "false")
    assert len(cards(page)) > copies


def test_an_address_restores_the_filter_in_a_fresh_browser_and_follows_it_to_other_checkpoints(browser: Browser, stand_in: str) -> None:
    with visiting(browser, dark=True) as visitor:
        page = visitor.open(f"{stand_in}{AT}&train=29")
        wait_for_cards(page)
        expect(page.locator(".tau-about")).to_contain_text("Training image 29 at τ = 1,763: 4 of 384 copied")
        expect(page.get_by_role("button", name="copies of training image 29")).to_be_visible()
        assert len(cards(page)) == 4 and all("copy" in label for label in cards(page))
        page.locator(".tau-slider").press("Home")
        expect(page.get_by_text("No sample copies training image 29 at τ = 5")).to_be_visible()
        wait_for_board(page, "5:")
        expect(page.locator("[data-region=board]")).to_contain_text("0 of 384 copied at τ = 5: no image is on the board.")
        page.get_by_role("button", name="Go to τ = 397").click()
        wait_for_cards(page)
        expect(page.locator(".tau-about")).to_contain_text("Training image 29 at τ = 397: 1 of 384 copied")
        page.get_by_role("button", name="copies of training image 29").click()
        page.wait_for_function("!location.search.includes('train=')")


def test_a_number_that_is_no_training_image_is_said_to_be_none(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}{AT}&train=999")
    expect(page.get_by_text("No training image is listed as 999")).to_be_visible()
    page.get_by_role("button", name="Show all samples").click()
    wait_for_cards(page)
    visitor.faults = [fault for fault in visitor.faults if "404" not in fault]


def test_the_board_is_taken_away_as_csv(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(stand_in + AT)
    wait_for_board(page, "1,763")
    with page.expect_download() as taken:
        page.locator("[data-region=board] a").click()
    assert taken.value.suggested_filename == "copied-demor2-1763.csv"
    rows = list(csv.DictReader(io.StringIO(taken.value.path().read_text())))
    assert len(rows) == 64 and sum(int(row["copies"]) for row in rows) == 233
    assert rows[0]["image"] == re.findall(r"image (\d+)", page.locator(ROWS).first.inner_text())[0]


def test_a_checkpoint_that_waits_has_no_board_yet(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/inspect?run=staler1&step=266")
    expect(page.get_by_text("No measured samples at this checkpoint: the board is empty.")).to_be_visible()


def test_on_a_phone_the_board_stands_below_the_strip_and_a_row_leads_to_its_samples(visitor: Visitor, stand_in: str) -> None:
    visitor.look_through(390, 844)
    page = visitor.open(stand_in + AT)
    wait_for_board(page, "1,763")
    wait_for_cards(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(ROWS).nth(2).click()
    expect(page.locator(".tau-about")).to_be_in_viewport()
    visitor.keep("inspect-copied-390")
