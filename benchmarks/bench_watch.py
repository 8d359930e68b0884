"""Frames that the watch page of forty growing runs drops: against a page with one finished run, in the same browser.

Forty runs of 1,000 points a series bring a point each every second. A frame counts as dropped when the one before it lasted longer
than two and a half of the display's own; the longest is what a reader could feel.
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, find_chromium
from tests.frontend.fake_api import FakeApi, create_fake_api
from tests.frontend.serving import dashboard, served

SECONDS = 12
_FRAMES = """(ms) => new Promise((done) => {
    const gaps = [];
    let last = performance.now();
    const end = last + ms;
    const step = (now) => {
        gaps.push(now - last);
        last = now;
        if (now < end) requestAnimationFrame(step);
        else done(gaps.slice(1));
    };
    requestAnimationFrame(step);
})"""


def frames(page: Page, url: str) -> list[float]:
    """Milliseconds from frame to frame while the page is left alone."""
    page.goto(url)
    page.wait_for_selector(".tau-chart .main-svg", timeout=60_000)
    page.wait_for_timeout(5000)
    found: list[float] = page.evaluate(_FRAMES, 1000 * SECONDS)
    return found


def told(name: str, gaps: list[float]) -> str:
    """Dropped frames, and how long the longest pauses were."""
    usual = sorted(gaps)[len(gaps) // 2]
    long = [gap for gap in gaps if gap > 2.5 * usual]
    dropped = sum(round(gap / usual) - 1 for gap in long)
    longest = ", ".join(f"{gap:.0f}" for gap in sorted(long, reverse=True)[:5])
    return f"{name}: {dropped / (len(gaps) + dropped):.1%} of frames dropped, {len(long)} pauses, the longest {longest or 'none'} ms"


def measure(browser: Browser, origin: str) -> None:
    for name, query in (("one finished run", "demo"), ("forty growing runs", "forty")):
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        print(told(name, frames(page, f"{origin}/experiment?id={query}")))
        draws = page.evaluate("performance.getEntriesByName('tau-draw').map((entry) => entry.duration)")
        print(f"  {len(draws)} draws of {sum(draws) / max(1, len(draws)):.0f} ms")
        page.close()


def main() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        api = stack.enter_context(served(create_fake_api(FakeApi())))
        origin = stack.enter_context(dashboard(api, folder))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        measure(browser, origin)
        browser.close()


if __name__ == "__main__":
    main()
