"""The gallery: ten thousand samples, the keyboard, the address, the film, and checkpoints without samples."""

from typing import cast

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visitor, grow_anew, visiting
from tests.browser.gallery import cards, pixels_of_card, wait_for_cards, wait_for_cards_of

MANY = "/inspect?run=manyr2&step=1763"


def search(page: Page) -> str:
    return cast(str, page.evaluate("location.search"))


def test_ten_thousand_samples_are_a_screenful_of_elements_and_scroll_without_end(visitor: Visitor, stand_in: str) -> None:
    sheets: list[str] = []
    visitor.page.on("request", lambda request: sheets.append(request.url) if "sheet.png" in request.url else None)
    page = visitor.open(stand_in + MANY)
    wait_for_cards(page)
    assert len(cards(page)) < 80
    assert len(sheets) <= 7, "the cards' three kinds of image, the enlarged three, and the other copies of its training image"
    assert len([url for url in sheets if "images=0-255" in url]) == 3
    page.mouse.move(400, 700)
    before = page.evaluate("document.querySelector('[data-region=grid]').clientHeight")
    for _ in range(4):
        page.mouse.wheel(0, 60_000)
        page.wait_for_timeout(150)
    page.wait_for_function("Math.max(...[...document.querySelectorAll('.tau-sample')].map((card) => Number(card.ariaPosInSet))) > 8000")
    wait_for_cards(page)
    visitor.keep("inspect-ten-thousand")
    assert len(cards(page)) < 80
    assert page.evaluate("document.querySelector('[data-region=grid]').clientHeight") == before
    assert before > 10_000 / 5 * 100


def test_the_scroll_stays_when_the_checkpoint_changes(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(stand_in + MANY)
    wait_for_cards(page)
    page.mouse.move(400, 700)
    page.mouse.wheel(0, 5000)
    page.wait_for_function("document.querySelector('[data-region=grid]').getBoundingClientRect().top < -3000")
    top = page.evaluate("document.querySelector('[data-region=grid]').getBoundingClientRect().top")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("location.search.includes('step=1320')")
    wait_for_cards_of(page, "1,320")
    assert page.evaluate("document.querySelector('[data-region=grid]').getBoundingClientRect().top") == top


def test_the_gallery_by_keyboard(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/inspect?run=demor2&step=1763&sort=ratio")
    wait_for_cards(page)
    visitor.keep("inspect")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("location.search.includes('step=1320')")
    wait_for_cards_of(page, "1,320")
    page.keyboard.press("c")
    page.wait_for_function("location.search.includes('show=copies')")
    expect(page.locator(".tau-sample:not(.tau-copy)")).to_have_count(0)
    wait_for_cards(page)
    first, second = (label.split(",")[0] for label in cards(page)[:2])
    expect(page.locator(".tau-enlarged b").first).to_have_text(first.capitalize())
    page.keyboard.press("j")
    expect(page.locator(".tau-enlarged b").first).to_have_text(second.capitalize())
    page.keyboard.press("k")
    expect(page.locator(".tau-enlarged b").first).to_have_text(first.capitalize())
    page.keyboard.press("Escape")
    expect(page.get_by_text("No sample is enlarged")).to_be_visible()
    assert "seed=none" in search(page)


def test_keys_that_follow_each_other_quickly_are_all_obeyed(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/inspect?run=demor2&step=1763")
    wait_for_cards(page)
    for _ in range(6):
        page.keyboard.press("j")
    page.wait_for_function("Number(new URLSearchParams(location.search).get('seed')) === 6")
    expect(page.locator(".tau-sample.tau-selected")).to_have_count(1)
    seed = page.evaluate("new URLSearchParams(location.search).get('seed')")
    expect(page.locator(".tau-enlarged b").first).to_have_text(f"Seed {seed}")


def test_an_enlarged_sample_says_its_label_and_those_of_its_neighbours_where_there_are_any(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/inspect?run=demor2&step=1763&seed=12")
    captions = page.locator(".tau-big-pair figcaption")
    expect(captions).to_have_text(["Generatedasked for label 2", "Nearestlabel 0", "Secondlabel 7"])
    expect(page.get_by_role("img", name="Generated image, seed 12, asked for label 2")).to_be_visible()
    visitor.keep("inspect-labels")
    page = visitor.open(f"{stand_in}/inspect?run=policyr1&seed=12")
    expect(captions).to_have_text(["Generated", "Nearest", "Second"])


def test_one_card_takes_part_in_tab_and_the_arrow_keys_go_from_row_to_row(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/inspect?run=demor2&step=1763")
    wait_for_cards(page)
    assert page.locator('.tau-sample[tabindex="0"]').count() == 1
    page.locator('.tau-sample[tabindex="0"]').focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.activeElement.dataset.seed === '5'")
    page.keyboard.press("End")
    page.wait_for_function("document.activeElement.dataset.seed === '383'")
    label = page.evaluate("document.activeElement.ariaLabel")
    assert label.startswith("seed 383, τ 1,763, gap ratio 0.")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.search.includes('step=2400')")
    page.wait_for_function("document.activeElement.dataset?.seed === '383'")


def test_the_slider_stops_at_checkpoints_on_the_log_axis_and_says_its_step(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/inspect?run=demor2&step=1763")
    slider = page.locator(".tau-slider")
    expect(slider).to_have_attribute("aria-valuetext", "τ 1,763")
    box = slider.bounding_box()
    assert box is not None
    # The middle of the log axis from 5 to 2,400 is 110; 119 is the checkpoint nearest to it.
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(slider).to_have_attribute("aria-valuetext", "τ 119")
    page.wait_for_function("location.search.includes('step=119')")
    slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "τ 178")
    expect(page.locator(".tau-frame.tau-current")).to_contain_text("178")
    expect(page.locator("[data-region=finding]")).to_contain_text("At τ = 178")


def test_an_address_restores_seed_order_and_filter_in_a_fresh_browser(browser: Browser, stand_in: str) -> None:
    with visiting(browser, dark=True) as visitor:
        page = visitor.open(f"{stand_in}/inspect?run=demor2&step=1320&seed=59&show=copies&sort=ratio&image=29")
        wait_for_cards(page)
        expect(page.locator(".tau-enlarged b").first).to_have_text("Seed 59")
        expect(page.get_by_role("button", name="near training image 29")).to_be_visible()
        expect(page.get_by_role("button", name="By gap ratio")).to_have_attribute("aria-pressed", "true")
        labels = cards(page)
        assert 0 < len(labels) < 10 and all("copy" in label for label in labels)
        assert labels == sorted(labels, key=lambda label: label.split("gap ratio ")[1])
        page.get_by_role("button", name="near training image 29").click()
        page.wait_for_function("!location.search.includes('image=')")


def test_the_film_shows_the_seed_at_every_checkpoint_and_leads_there(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/inspect?run=demor2&seed=7")
    frames = page.locator(".tau-frame")
    expect(frames).to_have_count(19)
    page.wait_for_function("[...document.querySelectorAll('.tau-frame canvas')].every((canvas) => canvas.dataset.painted)")
    assert page.locator(".tau-frame canvas").count() == 2 * 19
    frames.nth(3).click()
    page.wait_for_function("location.search.includes('step=16')")


def test_runs_change_in_place(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/inspect?run=demor2&step=119")
    wait_for_cards(page)
    page.get_by_role("button", name="n = 16").click()
    page.wait_for_function("location.search.includes('run=demor0')")
    expect(page.locator(".tau-frame")).to_have_count(13)
    assert "step=119" in search(page)


def test_checkpoints_without_samples_say_why_and_lead_on(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/inspect?run=staler1&step=266")
    expect(page.get_by_text("are still being evaluated").first).to_be_visible()
    visitor.keep("inspect-waiting")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("the sampler gave no finite sample").first).to_be_visible()
    page.goto(f"{stand_in}/inspect?run=demor2&step=400")
    expect(page.get_by_text("No samples were drawn at τ = 400")).to_be_visible()
    page.get_by_role("button", name="Go to τ = 397").click()
    wait_for_cards(page)
    page.goto(f"{stand_in}/inspect?run=emptyr0")
    expect(page.get_by_text("No samples yet")).to_be_visible()
    visitor.keep("inspect-empty")


def test_a_new_checkpoint_appears_in_the_strip_and_what_is_shown_stays(visitor: Visitor, stand_in: str) -> None:
    page = visitor.page
    grow_anew(stand_in)
    visitor.open(f"{stand_in}/inspect?run=liver2")
    wait_for_cards(page)
    before, shown = page.locator(".tau-frame").count(), cards(page)
    page.wait_for_function("(before) => document.querySelectorAll('.tau-frame').length > before", arg=before, timeout=20_000)
    assert cards(page) == shown
    assert "step=" not in search(page)


def test_while_the_api_is_away_the_cards_stay_and_the_page_goes_on_when_it_is_back(visitor: Visitor, stand_in: str) -> None:
    page = visitor.page
    problem = '{"detail": "Nothing answers.", "remedy": "Start it with make up."}'
    for address in ("**/view/inspect/**", "**/events?*"):
        page.route(address, lambda route: route.fulfill(status=502, content_type="application/problem+json", body=problem))
    page.goto(f"{stand_in}/inspect?run=staler1&step=36")
    expect(page.get_by_text("Start it with make up.")).to_be_visible()
    page.unroute("**/view/inspect/**")
    wait_for_cards(page)
    expect(page.get_by_text("Start it with make up.")).to_be_hidden()
    page.unroute("**/events?*")
    with page.expect_request("**/events?*", timeout=15_000):
        pass
    visitor.faults = [fault for fault in visitor.faults if "502" not in fault]


def test_the_link_is_copied_whole(browser: Browser, stand_in: str) -> None:
    with visiting(browser) as visitor:
        visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = visitor.open(f"{stand_in}/inspect?run=demor2&step=1763")
        page.keyboard.press("c")
        page.wait_for_function("location.search.includes('show=copies')")
        page.get_by_role("button", name="Copy link").click()
        expect(page.get_by_role("button", name="Link copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == page.evaluate("location.href")


def test_on_a_phone_the_enlarged_sample_covers_the_cards_until_it_is_closed(visitor: Visitor, stand_in: str) -> None:
    visitor.look_through(390, 844)
    page = visitor.open(f"{stand_in}/inspect?run=demor2&step=1763")
    wait_for_cards(page)
    visitor.keep("inspect-390")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator(".tau-enlarged")).to_be_hidden()
    page.locator('.tau-sample[data-seed="2"]').click()
    expect(page.locator(".tau-enlarged")).to_be_visible()
    expect(page.locator(".tau-enlarged b").first).to_have_text("Seed 2", timeout=1)
    visitor.keep("inspect-390-enlarged")
    page.keyboard.press("Escape")
    expect(page.locator(".tau-enlarged")).to_be_hidden()
    page.wait_for_function("document.activeElement.dataset?.seed === '2'")


def test_a_card_keeps_its_pixels_when_it_is_sorted_elsewhere(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/inspect?run=demor2&step=1763")
    wait_for_cards(page)
    seed = int(page.locator(".tau-sample.tau-copy").first.get_attribute("data-seed") or 0)
    before = [pixels_of_card(page, seed, place) for place in range(3)]
    assert before[0] != before[1] and any(before[0])
    page.get_by_role("button", name="By distance").click()
    page.wait_for_function("location.search.includes('sort=distance')")
    page.get_by_role("button", name="Copies").first.click()
    wait_for_cards(page)
    page.keyboard.press("Escape")
    page.evaluate(f"document.querySelector('[data-seed=\"{seed}\"]')?.scrollIntoView()")
    assert [pixels_of_card(page, seed, place) for place in range(3)] == before
