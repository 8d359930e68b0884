"""The System page: what it says, that it asks seldom, and that what was unfolded stays so."""

from playwright.sync_api import expect

from tests.browser.conftest import Visitor

# When the page asked, in milliseconds of the browser's own clock.
ASKED = "performance.getEntriesByType('resource').filter(e => e.name.includes('/view/system')).map(e => e.startTime)"


def test_the_system_page_polls_every_five_seconds_and_keeps_what_was_unfolded(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/system")
    expect(page.get_by_text("Needs attention: disk.")).to_be_visible()
    page.get_by_text("Traceback", exact=True).click()
    expect(page.get_by_text("DivergedError")).to_be_visible()
    page.wait_for_function(f"{ASKED}.length > 1", timeout=60_000)
    first, second = page.evaluate(ASKED)[:2]
    assert second - first > 4500
    expect(page.get_by_text("DivergedError")).to_be_visible()
    visitor.keep("system")


def test_a_failure_leads_to_the_history_of_its_run(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/system")
    page.get_by_role("link", name="digits, lr 0.02, n_train=32").first.click()
    page.wait_for_function("location.pathname === '/run' && location.search.includes('id=failedr1')")


def test_the_real_service_says_that_it_is_well(visitor: Visitor, stack: str) -> None:
    page = visitor.open(f"{stack}/")
    page.get_by_role("link", name="System").click()
    expect(page.get_by_text("Nothing needs attention.")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("sqlite, its schema is current")).to_be_visible()
    visitor.keep("system-real")
