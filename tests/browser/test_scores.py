"""The score page in a browser: slider, keys and play button move every learned score, and the address keeps where it stands."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor

SCORES = "document.querySelector('[data-chart=scores]')"
ERRORS = "document.querySelector('[data-chart=errors]')"


def opened(visitor: Visitor, stand_in: str, query: str = "") -> Page:
    page = visitor.open(f"{stand_in}/score?id=scores{query}")
    page.wait_for_selector("[data-chart=errors] .main-svg")
    return page


def heights(page: Page) -> list[float]:
    found: list[float] = page.evaluate(f"{SCORES}.data.filter(t => t.meta?.curve === 'learned').map(t => t.y[40])")
    return found


def test_the_keys_move_the_learned_scores_their_titles_the_cursor_and_the_address(visitor: Visitor, stand_in: str) -> None:
    page = opened(visitor, stand_in, "&at=400")
    before = heights(page)
    slider = page.get_by_role("slider")
    assert slider.get_attribute("aria-valuetext") == "τ 400"
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.search.includes('at=700')")
    page.wait_for_function(f"{ERRORS}.layout.shapes.find(s => s.name === 'cursor').x0 === 700")
    assert all(one != other for one, other in zip(before, heights(page), strict=True))
    assert "τ = 700" in page.evaluate(f"{SCORES}.layout.annotations[0].text")
    assert slider.get_attribute("aria-valuetext") == "τ 700"
    page.keyboard.press("End")
    page.wait_for_function("!location.search.includes('at=')")
    page.wait_for_function(f"{ERRORS}.layout.shapes.find(s => s.name === 'cursor').x0 === 4000")
    expect(slider).to_be_focused()
    visitor.keep("scores")


def test_play_goes_from_the_first_checkpoint_to_the_last_and_can_be_held(visitor: Visitor, stand_in: str) -> None:
    page = opened(visitor, stand_in)
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.tau-scores').dataset.at === '60'")
    page.get_by_role("button", name="Pause").click()
    page.wait_for_function("location.search.includes('at=')")
    held = page.evaluate("document.querySelector('.tau-scores').dataset.at")
    assert f"at={held}" in page.evaluate("location.search")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.tau-scores').dataset.at === '4000'")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_the_scores_stand_below_one_another_on_a_phone_in_the_dark(visitor: Visitor, stand_in: str) -> None:
    visitor.look_through(390, 844, dark=True)
    page = opened(visitor, stand_in, "&at=1200")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    assert page.evaluate(f"{SCORES}.layout.yaxis.domain[0] > {SCORES}.layout.yaxis2.domain[1]")
    visitor.keep("scores-dark-390")


def test_the_tab_leads_from_watching_to_the_scores(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=scores")
    page.get_by_role("link", name="Score", exact=True).click()
    page.wait_for_selector("[data-chart=scores] .main-svg")
    assert "/score?id=scores" in page.evaluate("location.href")
