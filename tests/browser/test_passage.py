"""From page to page within a session: there is never nothing to see."""

from playwright.sync_api import Page, Route, expect

from tests.browser.chart import wait_for_chart
from tests.browser.conftest import Visitor

# In every frame: whether a live region, of this page or the one before, has anything in it, and in how many it has not.
_WATCH_FRAMES = """
window.tauEmpty = 0; window.tauKept = 0;
const look = () => {
  window.tauEmpty += [...document.querySelectorAll("[data-testid=stMainBlockContainer] .tau-root")].every((root) => !root.innerText.trim());
  window.tauKept += Boolean(document.querySelector(".tau-kept"));
  requestAnimationFrame(look);
};
look();
"""


def test_what_a_page_showed_stays_until_the_next_one_has_something_to_show(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiments")
    expect(page.locator(".tau-name").first).to_be_visible(timeout=60_000)
    page.evaluate(_WATCH_FRAMES)
    page.locator('.tau-name[href*="id=demo"]').click()
    wait_for_chart(page)
    for name in ("Probes", "Inspect", "Watch"):
        page.get_by_role("link", name=name, exact=True).click()
        page.wait_for_function(f"document.title.startsWith('digits-demo · {name}')")
        settled(page)
    assert page.evaluate("window.tauKept") > 0
    assert page.evaluate("window.tauEmpty") == 0


def test_a_page_that_takes_long_leaves_the_header_and_axes_of_the_one_before(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=demo")
    wait_for_chart(page)
    held: list[Route] = []
    page.route("**/view/probes/**", lambda route: held.append(route))
    page.get_by_role("link", name="Probes").click()
    expect(page.locator(".tau-framed")).to_be_attached(timeout=60_000)
    expect(page.locator(".tau-framed .tau-title")).to_be_visible()
    expect(page.locator(".tau-framed .tau-side")).to_be_hidden()
    visitor.keep("passage-framed")
    page.wait_for_timeout(100)
    for route in held:
        route.continue_()
    page.unroute("**/view/probes/**")
    settled(page)


def settled(page: Page) -> None:
    """Until the new page is drawn, and nothing of the one before is left."""
    page.wait_for_selector(".tau-root[data-ready]", timeout=60_000)
    expect(page.locator(".tau-kept")).to_have_count(0, timeout=60_000)
