"""Every state a page can be in, seen in a browser; screenshots stay under build/screens."""

from playwright.sync_api import Browser, Page, expect

from tests.browser.chart import wait_for_chart
from tests.browser.conftest import Visitor, visiting

STATES = {
    "empty": "No measurement yet",
    "stale": "No news for",
    "failed": "Use a lower learning rate",
    "never": "never for n = 16",
    "demo": "Quality arrives at τ ≈ 31 for every n.",
}


def test_each_state_says_what_it_is(visitor: Visitor, stand_in: str) -> None:
    for identifier, words in STATES.items():
        page = visitor.open(f"{stand_in}/experiment?id={identifier}")
        wait_for_chart(page)
        expect(page.get_by_text(words).first).to_be_visible()
        visitor.keep(f"watch-{identifier}")
        if identifier == "never":
            assert_unreached_onsets_are_arrows(page)


def assert_unreached_onsets_are_arrows(page: Page) -> None:
    onsets = "document.querySelector('.tau-chart').data.filter(t => t.meta?.onset)"
    marks = page.evaluate(f"{onsets}.map(t => [t.meta.status, t.marker.symbol].join(' '))")
    arrows = [mark for mark in marks if mark.startswith("arrow")]
    assert len(arrows) == 2
    assert not [mark for mark in arrows if "diamond" in mark or "circle" in mark]


def test_an_address_restores_the_view_in_a_fresh_browser(browser: Browser, stand_in: str) -> None:
    with visiting(browser, width=1280, height=720, dark=True) as visitor:
        page = visitor.open(f"{stand_in}/experiment?id=demo&axis=tau_n&quality=frechet_pca&losses=100&n=32")
        wait_for_chart(page)
        expect(page.locator(".tau-focused")).to_contain_text("32")
        layout = page.evaluate("document.querySelector('.tau-chart').layout")
        assert layout["xaxis"]["title"]["text"].startswith("τ/n")
        assert any("Fréchet" in item["text"] for item in layout["annotations"])
        assert "yaxis4" in layout
        visitor.keep("watch-dark-address")


def test_pause_and_resume_stand_beside_stop_and_change_places(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=stale")
    wait_for_chart(page)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".tau-pill")).to_contain_text("Paused")
    visitor.keep("watch-paused")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_the_history_of_a_run_is_one_click_away(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=demo")
    wait_for_chart(page)
    page.get_by_role("link", name="Run history").click()
    expect(page.get_by_text("lost: its worker did not renew the lease")).to_be_visible()
    assert "/run?id=" in page.evaluate("location.href")
    visitor.keep("run-history")


def test_a_click_on_a_row_of_the_rail_focuses_that_n(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=demo")
    wait_for_chart(page)
    page.locator('[data-focus="16"]').click()
    page.wait_for_function("location.search.includes('n=16')")
    expect(page.locator(".tau-focused")).to_contain_text("16")


def test_while_the_dashboard_cannot_reach_the_api_the_page_says_so_and_recovers(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=stale")
    wait_for_chart(page)
    problem = '{"detail": "Nothing answers.", "remedy": "Start it with make up."}'
    page.route("**/view/**", lambda route: route.fulfill(status=502, content_type="application/problem+json", body=problem))
    expect(page.get_by_text("Start it with make up.")).to_be_visible(timeout=15_000)
    page.unroute("**/view/**")
    expect(page.get_by_text("Start it with make up.")).to_be_hidden(timeout=15_000)
    visitor.faults = [fault for fault in visitor.faults if "502" not in fault]


def test_the_list_shows_every_experiment_and_opens_one(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/")
    expect(page.locator(".tau-name")).to_have_count(6)
    visitor.keep("experiments")
    page.get_by_role("radio", name="Needs attention 2").click()
    expect(page.locator(".tau-name")).to_have_count(2)
    page.locator(".tau-name").last.click()
    page.wait_for_function("location.search.includes('id=failed')")
