"""The exploration on the phase page in a browser: its log, and starting, pausing and ending one."""

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visitor, visiting

SECTION = "[data-region=exploration]"


def test_an_exploration_is_started_paused_and_ended_and_its_log_follows(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/phase?id=demo")
    expect(page.locator(SECTION)).to_contain_text("None has been yet")
    page.get_by_text("Explore: let runs be chosen").click()
    page.get_by_label("Training images n").fill("16, 24, 32")
    page.get_by_role("button", name="Explore", exact=True).click()
    page.get_by_role("button", name="Pause exploring").click()
    page.get_by_role("button", name="Resume exploring").wait_for()
    expect(page.locator(SECTION)).to_contain_text("Paused: pause, as its owner wished", timeout=60_000)
    expect(page.locator(SECTION)).to_contain_text("Chooses among n = 16, 24, 32")
    page.get_by_role("button", name="End exploring").click()
    expect(page.locator(SECTION)).to_contain_text("Finished", timeout=60_000)
    visitor.keep("exploration-started")


def test_the_log_gives_each_choice_with_its_reason(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/phase?id=phases-live")
    expect(page.locator(SECTION)).to_contain_text("5,300 of 20,000 steps spent")
    expect(page.locator(SECTION)).to_contain_text("lies between n = 32 and n = 64; copying not seen by 2,000")
    page.locator(SECTION).scroll_into_view_if_needed()
    visitor.keep("exploration")


def test_the_exploration_holds_in_the_dark_on_a_phone(browser: Browser, stand_in: str) -> None:
    with visiting(browser, width=390, height=844, dark=True) as visitor:
        page = visitor.open(f"{stand_in}/phase?id=phases-live")
        page.locator(SECTION).get_by_text("Decision 2").first.wait_for()
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
        page.locator(SECTION).scroll_into_view_if_needed()
        visitor.keep("exploration-dark-390")
