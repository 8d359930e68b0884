"""The list of experiments in a real browser: search by key, tags, archive, deletion, very many rows, narrow and wide."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.frontend.fake_api import FakeApi, create_fake_api
from tests.frontend.serving import dashboard, served


def test_a_slash_goes_to_the_search_and_the_address_holds_what_was_found(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiments")
    expect(page.locator(".tau-name")).to_have_count(6)
    page.keyboard.press("/")
    page.keyboard.type("silent")
    page.keyboard.press("Enter")
    expect(page.locator(".tau-name")).to_have_count(1)
    page.wait_for_function("location.search.includes('q=silent')")
    page.get_by_label("Find").fill("nothing like it")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing matches.")).to_be_visible()
    visitor.keep("experiments-none")
    page.get_by_role("link", name="Show all").click()
    expect(page.locator(".tau-name")).to_have_count(6)
    expect(page.get_by_label("Find")).to_have_value("")


def test_tags_archive_and_deletion_are_one_dialog(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiments")
    page.get_by_role("button", name="Tags, archive and delete: digits, never good").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("3 runs with 1,240 measured numbers, 45 checkpoints, samples of 45, 140 files of 48.2 MB")
    expect(dialog.get_by_role("button", name="Delete 3 runs")).to_be_disabled()
    dialog.get_by_role("textbox", name="Tags").fill("for the talk, kept")
    visitor.keep("experiments-manage")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="for the talk")).to_be_visible()

    page.get_by_role("button", name="Tags, archive and delete: digits, never good").click()
    page.get_by_role("dialog").get_by_role("button", name="Archive").click()
    expect(page.locator(".tau-name")).to_have_count(5)
    page.get_by_role("radio", name="Archived 1").click()
    expect(page.locator(".tau-name")).to_have_text(["digits, never good"])
    page.get_by_role("button", name="Tags, archive and delete: digits, never good").click()
    page.get_by_role("dialog").get_by_role("button", name="Take out of the archive").click()
    page.get_by_role("radio", name="All 6").click()
    expect(page.locator(".tau-name")).to_have_count(6)


def test_a_live_experiment_offers_no_deletion_and_says_what_to_do(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiments")
    page.get_by_role("button", name="Tags, archive and delete: digits, silent worker").click()
    expect(page.get_by_role("dialog")).to_contain_text("stop it first")
    expect(page.get_by_role("dialog").get_by_role("button", name="Delete")).to_have_count(0)


def test_a_failed_row_carries_the_reason_and_two_ways_on(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiments?state=attention")
    expect(page.get_by_text("Use a lower learning rate")).to_be_visible()
    page.get_by_role("link", name="launch a changed copy").click()
    page.wait_for_function("location.search.includes('from=failed')")
    expect(page.get_by_label("Learning rate", exact=True)).to_be_visible()


def test_the_list_shows_every_experiment_and_opens_one(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/")
    expect(page.locator(".tau-name")).to_have_count(6)
    page.get_by_role("radio", name="Needs attention 2").click()
    expect(page.locator(".tau-name")).to_have_count(2)
    page.locator(".tau-name").last.click()
    page.wait_for_function("location.search.includes('id=failed')")


@pytest.mark.parametrize(("width", "height", "dark"), [(390, 844, False), (1920, 1080, True)])
def test_the_list_holds_on_narrow_and_wide_screens(visitor: Visitor, stand_in: str, width: int, height: int, dark: bool) -> None:
    visitor.look_through(width, height, dark=dark)
    page = visitor.open(f"{stand_in}/experiments")
    expect(page.locator(".tau-name")).to_have_count(6)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    visitor.keep(f"experiments-{width}")


@pytest.fixture
def many(tmp_path: Path) -> Iterator[str]:
    """The address of a dashboard with 306 experiments."""
    state = FakeApi()
    state.launched = [f"new{index}" for index in range(300)]
    with served(create_fake_api(state)) as api, dashboard(api, tmp_path) as address:
        yield address


def test_very_many_experiments_come_page_by_page(many: str, visitor: Visitor) -> None:
    page = visitor.open(f"{many}/experiments")
    expect(page.locator(".tau-name")).to_have_count(25)
    expect(page.get_by_text("25 of 306 shown")).to_be_visible()
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".tau-name")).to_have_count(50)
    page.wait_for_function("location.search.includes('rows=50')")
