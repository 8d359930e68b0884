"""The page of a run moves by itself, and what a reader holds in it stays."""

from playwright.sync_api import expect

from tests.browser.conftest import Visitor, grow_anew
from tests.frontend.fake_api import FakeApi

PATIENCE = 60_000


def test_a_run_goes_on_under_the_eyes_of_its_reader_who_loses_neither_place_nor_focus(
    visitor: Visitor, stand_in: str, fake: FakeApi
) -> None:
    grow_anew(stand_in)
    visitor.look_through(1000, 420)
    page = visitor.open(f"{stand_in}/run?id=liver2")
    standing = page.locator("[data-region=standing] .tau-finding")
    before = standing.inner_text()
    assert "running" in before
    held = page.get_by_role("group").get_by_text("in trouble").first
    held.click()
    page.locator("[data-region=events] summary").focus()
    place = page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")
    assert place > 0, "the page is longer than the screen"
    page.evaluate("window.stays = document.querySelector('[data-region=events] .tau-onsets')")
    expect(standing).not_to_have_text(before, timeout=PATIENCE)
    assert page.evaluate("window.stays.isConnected"), "what says nothing new is left alone"
    assert page.evaluate("document.activeElement.matches('[data-region=events] summary')")
    assert page.evaluate("document.querySelector('[data-region=events] details').open")
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == place
    # What may be asked of it is no part of the live regions: Streamlit draws it anew when the run is over.
    expect(page.get_by_role("button", name="Extend this run")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("button", name="Stop this run")).to_be_hidden(timeout=PATIENCE)


def test_the_agreement_of_twins_moves_too(visitor: Visitor, stand_in: str) -> None:
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url) if "/twin?" in request.url else None)
    page = visitor.open(f"{stand_in}/run?id=twinsr1")
    expect(page.get_by_text("no fall by 24").first).to_be_visible(timeout=PATIENCE)
    page.locator(".tau-agreement .main-svg").first.wait_for(state="attached", timeout=PATIENCE)
    page.evaluate("window.stays = document.querySelector('.tau-agreement .main-svg')")
    seen = len(asked)
    with page.expect_response(lambda answer: "/twin?" in answer.url, timeout=PATIENCE):
        pass
    assert len(asked) > seen and page.evaluate("window.stays.isConnected")


def test_what_a_region_opens_by_itself_is_open_and_what_a_reader_closed_stays_closed(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/run?id=demor1")
    expect(page.get_by_text("Measured again in").first).to_be_visible(timeout=PATIENCE)
    found = page.evaluate(
        """async () => {
          const shell = performance.getEntriesByType("resource").find((entry) => entry.name.includes("shell.js")).name;
          const { patch } = await import(shell);
          const region = document.createElement("div");
          patch(region, "<details open>1</details><details>2</details>");
          const first = [...region.children].map((item) => item.open);
          region.children[0].open = false;
          patch(region, "<details open>3</details><details>4</details>");
          return [first, [...region.children].map((item) => item.open)];
        }"""
    )
    assert found == [[True, False], [False, False]]


def test_what_may_be_asked_of_a_run_stands_between_its_standing_and_its_history(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/run?id=demor0")
    parts = [page.locator("[data-region=standing]")]
    parts += [page.get_by_role("button", name=name) for name in ("Add its twin", "Extend this run")]
    tops = []
    for part in [*parts, page.locator("[data-region=events]")]:
        part.wait_for(timeout=PATIENCE)
        tops.append(part.evaluate("node => node.getBoundingClientRect().top"))
    assert tops == sorted(tops)
