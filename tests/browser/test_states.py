"""Every state a page can be in: its words, light and dark, on a phone, under the policy, and nothing that hinders a reader.

The screenshots are left in build/screens for a person to look at, all on one page in build/screens/states.html.
"""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SCREENS, Visitor, grow_anew, visiting
from tests.frontend.serving import dashboard
from tests.frontend.states import STATES, State, contact_sheet
from tests.service import free_port, wait_for

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 720}
# The states that most of the code stands behind; all of them take minutes, and are looked at by `make test-slow`.
QUICK = {
    *("watch-live", "watch-failed", "watch-finished", "watch-offline", "watch-forty-runs"),
    *(
        "compare",
        "compare-seeds",
        "law",
        "phase",
        "probes",
        "spectrum",
        "inspect",
        "experiments",
        "launch",
        "run",
        "data",
        "system",
        "login",
    ),
}
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def without_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard whose API does not answer."""
    with dashboard(f"http://127.0.0.1:{free_port()}", tmp_path_factory.mktemp("without-api")) as address:
        yield address


@pytest.fixture(scope="module")
def guest(browser: Browser, stand_in: str, without_api: str) -> Iterator[Visitor]:
    """One browser for all states, held to the policy; it closes before what it looks at ends."""
    with visiting(browser, **DESK, policy=True) as visitor:
        visitor.page.add_init_script(_WATCH_POLICY)
        yield visitor
        visitor.faults.clear()  # Each test has judged its own.
    SCREENS.joinpath("states.html").write_text(contact_sheet(), encoding="utf-8")


@pytest.mark.parametrize(
    "state", [pytest.param(state, id=state.name, marks=[] if state.name in QUICK else [pytest.mark.slow]) for state in STATES]
)
def test_a_state_says_what_it_is_and_holds_in_light_in_dark_and_on_a_phone(
    guest: Visitor, stand_in: str, without_api: str, state: State
) -> None:
    complaints(guest)
    grow_anew(stand_in)
    page = guest.page
    page.set_viewport_size(DESK)
    page.emulate_media(color_scheme="light")
    page.goto((stand_in if state.api else without_api) + state.address)
    page.wait_for_selector(state.ready, timeout=20_000)
    expect(page.get_by_text(state.words).first).to_be_visible()
    assert page.evaluate("window.tauViolations") == []
    guest.keep(state.name)
    found = hindrances(page)
    page.emulate_media(color_scheme="dark")
    wait_for_theme(page, "dark")
    guest.keep(f"{state.name}-dark")
    found += [f"dark: {item}" for item in hindrances(page, only="color-contrast")]
    page.set_viewport_size(PHONE)
    page.wait_for_timeout(200)
    guest.keep(f"{state.name}-390")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    # What the browser says of answers that are none is the state itself.
    assert found + [fault for fault in complaints(guest) if state.api or "502" not in fault] == []


def hindrances(page: Page, *, only: str | None = None) -> list[str]:
    """What axe finds serious or critical: the rule and the elements."""
    options = {"resultTypes": ["violations"], **({"runOnly": [only]} if only else {})}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{item['id']}: {node['target']} {node['html'][:200]}" for item in found if item["impact"] in SERIOUS for node in item["nodes"]]


def wait_for_theme(page: Page, name: str) -> None:
    """Until the page's style is that theme's; the page that asks for the token follows the browser alone."""
    known = "getComputedStyle(document.documentElement).getPropertyValue('--tau-theme').trim()"
    wait_for(lambda: page.evaluate(known) in (name, ""), f"the {name} theme", seconds=5)
    page.wait_for_timeout(400)


def complaints(visitor: Visitor) -> list[str]:
    """What went wrong since the last call."""
    found, visitor.faults = visitor.faults, []
    return found


_WATCH_POLICY = """
window.tauViolations = [];
document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    // Streamlit's protobuf asks whether it may use WebAssembly for 64-bit numbers, and does without.
    if (blockedURI !== "wasm-eval") window.tauViolations.push(`${effectiveDirective} ${blockedURI}`);
});
"""
