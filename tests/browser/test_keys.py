"""Keys that hold on every page, and what the browser's tab says."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor


def test_a_question_mark_lists_every_key_and_escape_closes_the_list(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=demo")
    page.keyboard.press("?")
    listed = page.get_by_role("dialog", name="Keys")
    for words in ("find an experiment", "talk mode", "copies only", "checkpoint before, after", "sample after, before", "launch"):
        expect(listed.get_by_text(words).first).to_be_visible()
    page.keyboard.press("t")
    visitor.keep("keys")
    page.keyboard.press("Escape")
    expect(listed).to_have_count(0)
    assert "talk" not in page.url
    page.get_by_role("button", name="Keys").click()
    expect(listed).to_be_visible()


def test_a_slash_leads_to_the_search_from_every_page_within_the_session(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=demo")
    page.evaluate("window.tauSame = true")
    page.keyboard.press("/")
    expect(page.locator(".st-key-q input")).to_be_focused(timeout=10_000)
    assert page.evaluate("window.tauSame") is True


def test_t_shows_both_charts_of_the_law_alone_and_t_again_the_page(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/law?id=demo")
    size = "document.querySelector('.tau-collapse').layout.xaxis.tickfont.size"
    before = page.evaluate(size)
    page.keyboard.press("t")
    page.wait_for_function("location.search.includes('talk=1')")
    page.wait_for_function(f"{size} > 1.3 * {before}")
    expect(page.locator(".tau-laws")).to_be_hidden()
    visitor.keep("law-talk")
    page.keyboard.press("t")
    page.wait_for_function("!location.search.includes('talk')")
    expect(page.locator(".tau-laws")).to_be_visible()


TITLES = {
    "/experiments": "Experiments · Tauscope",
    "/launch": "Launch · Tauscope",
    "/system": "System · Tauscope",
    "/experiment?id=demo": "digits-demo · Watch · Tauscope",
    "/law?id=demo": "digits-demo · Law · Tauscope",
    "/inspect?run=demor2": "digits-demo · Inspect · Tauscope",
    "/run?id=demor0": "digits-demo · Run · Tauscope",
}


@pytest.mark.parametrize("address", TITLES)
def test_the_tab_says_which_page_it_is(visitor: Visitor, stand_in: str, address: str) -> None:
    visitor.page.goto(stand_in + address)
    expect(visitor.page).to_have_title(TITLES[address])
