"""A real Chromium, the real stack, and the dashboard in front of a stand-in API for states that are hard to bring about."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.frontend.fake_api import FakeApi, create_fake_api
from tests.frontend.serving import dashboard, running, served
from tests.service import free_port

SCREENS = Path(__file__).parents[2] / "build" / "screens"
# With one process per site a profile's pages share the compiled scripts as long as one of them is open, see `profile`.
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--process-per-site"]

# What must show is waited for as on a slow machine; no test asserts how fast a page is.
expect.set_options(timeout=30_000)

NO_CHROMIUM = "no Chromium: set CHROMIUM to one, or install it (apt install chromium)"


def find_chromium() -> str | None:
    """A Chromium to drive: the one that is named, or the first on PATH."""
    names = [os.environ.get("CHROMIUM") or "", "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
    return next((path for name in names if name and (path := shutil.which(name))), None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A run without a browser says so in one line at its end."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if NO_CHROMIUM in str(report.longrepr)]
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} browser tests were skipped: {NO_CHROMIUM}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    path = find_chromium()
    if path is None:
        pytest.skip(NO_CHROMIUM)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield launched
        launched.close()


class Visitor:
    """A page and everything it complained about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: self._own(request.url))

    def _own(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1", "data:", "blob:")):
            self.faults.append(f"external request to {url}")

    def look_through(self, width: int, height: int, *, dark: bool = False) -> None:
        """Have a screen of that size and colour scheme."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme="dark" if dark else "light")

    def open(self, url: str) -> Page:
        """Go to an address and wait until its live part has drawn."""
        self.page.goto(url)
        self.page.wait_for_selector("[data-ready=yes]", state="attached", timeout=60_000)
        return self.page

    def keep(self, name: str) -> None:
        """Leave a screenshot for a person to look at."""
        SCREENS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENS / f"{name}.png")


def profile(browser: Browser, *, policy: bool = False) -> BrowserContext:
    """A browser profile in which each further page costs a third of the first: Plotly and Streamlit are compiled once.

    Playwright waits for a condition by ``eval``, which the pages' policy forbids: only with ``policy`` it is enforced.
    """
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light", bypass_csp=not policy)
    # An empty page of the same host (ports do not count) keeps the process that holds the compiled scripts.
    anchor = context.new_page()
    anchor.route("**", lambda route: route.fulfill(body=""))
    anchor.goto("http://127.0.0.1/")
    return context


@contextmanager
def opened_page(context: BrowserContext) -> Iterator[Visitor]:
    """A page of its own in a profile; at the end nothing may have gone wrong in it."""
    visitor = Visitor(context.new_page())
    yield visitor
    visitor.page.close()
    assert visitor.faults == []


@contextmanager
def visiting(browser: Browser, *, width: int = 1440, height: int = 900, dark: bool = False, policy: bool = False) -> Iterator[Visitor]:
    """A fresh browser profile, for what must not depend on anything that was seen before."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", bypass_csp=not policy
    )
    with opened_page(context) as visitor:
        yield visitor
    context.close()


@pytest.fixture(scope="session")
def usual_profile(browser: Browser) -> Iterator[BrowserContext]:
    """The profile of all tests that ask for no other."""
    context = profile(browser)
    yield context
    context.close()


@pytest.fixture
def visitor(usual_profile: BrowserContext) -> Iterator[Visitor]:
    """A fresh page in a profile that has seen other pages."""
    with opened_page(usual_profile) as found:
        yield found


@pytest.fixture(scope="session")
def fake() -> FakeApi:
    """The state of the stand-in API; one of its experiments, ``live``, grows for 25 seconds."""
    return FakeApi(seconds=25)


@pytest.fixture(scope="session")
def stand_in(fake: FakeApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dashboard's address; its API answers from memory."""
    with served(create_fake_api(fake)) as api, dashboard(api, tmp_path_factory.mktemp("stand-in")) as address:
        yield address


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the real stack keeps its data."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def stack(home: Path) -> Iterator[str]:
    """The dashboard's address of the real stack: broker, database, API, worker, reconciler."""
    port = free_port()
    command = [sys.executable, "-m", "launcher", "up", "--port", str(port), "--api-port", str(free_port()), "--home", str(home)]
    with running(command, f"http://127.0.0.1:{port}/api/v1/ready", home / "up.log") as address:
        yield address


def grow_anew(stand_in: str) -> None:
    """Let the growing experiment of the stand-in begin again, however long ago it ended."""
    # On a connection of its own: one that the browser kept may be closed by the server at this very moment.
    assert httpx.post(f"{stand_in}/api/v1/experiments/live/resume", trust_env=False).is_success
