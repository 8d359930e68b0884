"""The probes page in a browser: the chosen probe stands in the address, and the watch page leads to it."""

from playwright.sync_api import expect

from tests.browser.conftest import Visitor

CHART = "[data-chart=probes] .main-svg"


def test_a_tab_leads_from_watching_to_the_probes_with_levels_and_lead_times(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=demo")
    page.get_by_role("link", name="Probes", exact=True).click()
    page.wait_for_selector(CHART)
    assert "/probes?id=demo" in page.evaluate("location.href")
    expect(page.locator("[data-region=finding]")).to_contain_text("as late as the warning")
    expect(page.get_by_text("A probe never replaces")).to_be_visible()
    expect(page.get_by_role("columnheader", name="false alarms")).to_be_visible()
    drawn = page.evaluate("document.querySelector('[data-chart=probes]').data.filter(t => t.meta?.onset === 'warning').length")
    assert drawn == 3
    visitor.keep("probes")


def test_the_probes_hold_in_the_dark_on_a_phone(visitor: Visitor, stand_in: str) -> None:
    visitor.look_through(390, 844, dark=True)
    page = visitor.open(f"{stand_in}/probes?id=demo&probe=loss_gap@100")
    page.wait_for_selector(CHART)
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    visitor.keep("probes-dark-390")


def test_a_live_run_that_a_probe_warned_of_says_so_beside_its_chart(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=warned")
    expect(page.get_by_text("Copying may be near", exact=True)).to_be_visible()
    visitor.keep("watch-warned")
