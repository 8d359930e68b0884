"""What a document asks for before Streamlit has begun: taken once, and told like any other answer where it is a refusal."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visitor
from tests.browser.test_watching import CHART

ROWS = "**/view/experiments?*"


def first_is(page: Page, answer: Callable[[Route], None]) -> list[str]:
    """Answer the first question for the list's rows so, and pass on the others; the addresses asked for, in order."""
    asked: list[str] = []

    def serve(route: Route) -> None:
        asked.append(route.request.url)
        answer(route) if len(asked) == 1 else route.continue_()

    page.route(ROWS, serve)
    return asked


def marked(route: Route) -> None:
    route.fulfill(
        body=json.dumps({"rows": "<p class='marked'>asked early</p>", "live": False, "slots": ""}), content_type="application/json"
    )


def test_the_rows_of_the_list_are_asked_for_before_streamlit_begins_and_used_once(visitor: Visitor, stand_in: str) -> None:
    order: list[str] = []
    visitor.page.on("request", lambda request: order.append(request.url))
    asked = first_is(visitor.page, marked)
    page = visitor.open(f"{stand_in}/experiments?state=attention")
    expect(page.locator(".marked")).to_be_visible()
    assert "state=attention" in asked[0]
    assert order.index(asked[0]) < next(place for place, url in enumerate(order) if "_stcore" in url)
    page.get_by_role("radio", name="All 6").click()
    expect(page.locator(".tau-name")).to_have_count(6)
    assert len(set(asked)) == 2


def test_a_dark_browser_asks_for_dark_rows(visitor: Visitor, stand_in: str) -> None:
    visitor.look_through(1280, 800, dark=True)
    asked = first_is(visitor.page, marked)
    expect(visitor.open(f"{stand_in}/experiments").locator(".marked")).to_be_visible()
    assert "theme=dark" in asked[0]


@pytest.mark.parametrize("how", ["refused", "lost"])
def test_an_early_question_that_fails_is_told_on_the_page(visitor: Visitor, stand_in: str, how: str) -> None:
    problem = {"title": "The API does not answer", "detail": "Nothing answers.", "remedy": "Start it."}

    def fail(route: Route) -> None:
        route.fulfill(status=502, body=json.dumps(problem), content_type="application/problem+json") if how == "refused" else route.abort()

    first_is(visitor.page, fail)
    page = visitor.open(f"{stand_in}/experiments")
    words = "Nothing answers. Start it." if how == "refused" else "The dashboard does not answer. It is tried again by itself."
    expect(page.get_by_text(words)).to_be_visible()
    # The browser notes the failed request, and nothing else: no error that nobody caught.
    assert all("Failed to load resource" in fault for fault in visitor.faults), visitor.faults
    visitor.faults.clear()


def test_an_early_question_without_a_token_leads_to_the_login(visitor: Visitor, stand_in: str) -> None:
    first_is(visitor.page, lambda route: route.fulfill(status=401, body="{}", content_type="application/problem+json"))
    visitor.page.goto(f"{stand_in}/experiments")
    visitor.page.wait_for_url("**/login", timeout=60_000)
    visitor.faults.clear()


def test_another_quality_brings_its_own_curves(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=demo")
    with page.expect_request(lambda request: "/curves?" in request.url and "frechet_pca" in request.url, timeout=60_000):
        page.get_by_role("radio", name="Fréchet distance").click()
    page.wait_for_function(f"{CHART}.layout.uirevision.includes('frechet_pca')", timeout=60_000)
    drawn = f"{CHART}.data.filter((trace) => trace.meta?.bind?.metric === 'frechet_pca')"
    page.wait_for_function(f"{drawn}.length > 0 && {drawn}.every((trace) => trace.x.length > 1)", timeout=60_000)
