"""No page loads or runs anything but its own origin's, and the browser is told to hold every page to that."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.conftest import opened_page, profile, visiting

PAGES = {
    "/": "[data-ready=yes]",
    "/experiments": "[data-ready=yes]",
    "/experiment?id=demo": ".tau-chart .main-svg",
    "/inspect?run=demor2&step=1763": ".tau-sample canvas",
    "/law?id=demo": ".tau-chart .main-svg",
    "/launch": "[data-ready=yes]",
    "/run?id=demor0": ".tau-run",
    "/system": "[data-ready=yes]",
    "/login": "form",
    "/experiment?id=unknown": "text=There is no experiment unknown",
}
NARROW = ("/inspect?run=demor2&step=1763", "/system", "/login")

_WATCH = """
window.tauViolations = [];
document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    // Streamlit's protobuf asks whether it may use WebAssembly for 64-bit numbers, and does without.
    if (blockedURI !== "wasm-eval") window.tauViolations.push(`${effectiveDirective} ${blockedURI}`);
});
"""


def violations(page: Page) -> list[str]:
    return [str(item) for item in page.evaluate("window.tauViolations")]


@pytest.fixture(scope="module")
def guarded(browser: Browser) -> Iterator[BrowserContext]:
    """A profile that is held to the policy and counts what went against it."""
    context = profile(browser, policy=True)
    context.add_init_script(_WATCH)
    yield context
    context.close()


def look(guarded: BrowserContext, url: str, there: str, width: int) -> None:
    # Leaving the block asserts that the console stayed free of errors and every request went to this origin.
    with opened_page(guarded) as visitor:
        visitor.look_through(width, 800)
        visitor.page.goto(url)
        visitor.page.wait_for_selector(there, state="attached", timeout=20_000)
        visitor.page.wait_for_timeout(300)
        assert violations(visitor.page) == [], url
        assert width > 400 or visitor.page.evaluate("document.documentElement.scrollWidth") <= width
        visitor.keep(f"policy-{width}-{url.split('/')[3].split('?')[0] or 'home'}")


@pytest.mark.parametrize("address", PAGES)
def test_every_page_works_under_the_policy_without_an_error_or_an_external_request(
    guarded: BrowserContext, stand_in: str, address: str
) -> None:
    look(guarded, stand_in + address, PAGES[address], 1280)


@pytest.mark.parametrize("address", NARROW)
def test_a_phone_shows_the_page_without_scrolling_sideways(guarded: BrowserContext, stand_in: str, address: str) -> None:
    look(guarded, stand_in + address, PAGES[address], 390)


@pytest.mark.parametrize(
    "address", ["/", "/inspect?run=demor2", "/assets/inspect.js", "/view/system", "/api/v1/system", "/login", "/_stcore/health"]
)
def test_every_answer_carries_the_policy(stand_in: str, address: str) -> None:
    headers = httpx.get(stand_in + address).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert "unsafe" not in policy["script-src"] and "http" not in headers["content-security-policy"]
    assert (policy["object-src"], policy["base-uri"]) == ("'none'", "'none'")
    assert headers["x-content-type-options"] == "nosniff"


def test_an_inline_script_that_slipped_into_a_page_does_not_run(browser: Browser, stand_in: str) -> None:
    with visiting(browser, policy=True) as visitor:
        page = visitor.open(f"{stand_in}/system")
        page.evaluate("""() => {
            const script = document.createElement("script");
            script.textContent = "window.tauRan = true";
            document.body.append(script);
            document.body.insertAdjacentHTML("beforeend", '<img src="data:," onerror="window.tauRan = true">');
        }""")
        page.wait_for_timeout(300)
        assert page.evaluate("window.tauRan") is None
        visitor.faults = [fault for fault in visitor.faults if "Content Security Policy" not in fault and "data:" not in fault]
