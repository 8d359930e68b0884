"""The launch page in a real browser: fields, faults, YAML, copying, keys, narrow and dark."""

import yaml
from playwright.sync_api import Browser, Page, expect

from tauscope.specs import apply_settings, load_preset
from tests.browser.chart import wait_for_chart
from tests.browser.conftest import Visitor, visiting


def type_into(page: Page, label: str, words: str) -> None:
    field = page.get_by_label(label, exact=True)
    field.fill(words)
    field.press("Enter")


def test_a_bad_field_is_refused_at_the_field(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/launch?preset=digits-demo")
    visitor.keep("launch")
    type_into(page, "Training images n", "16, 32")
    expect(page.get_by_text("3 values for 2 values of n")).to_be_visible()
    expect(page.get_by_role("button", name="Launch 3 runs")).to_have_count(0)
    visitor.keep("launch-refused")
    type_into(page, "Training steps", "450, 1100 by n")
    expect(page.get_by_role("button", name="Launch 2 runs")).to_be_visible()
    expect(page.get_by_text("changed, was 16, 32, 64")).to_be_visible()


def test_what_the_service_refuses_stands_at_its_field_and_stays_typed(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/launch?preset=digits-demo")
    width = page.get_by_role("textbox", name="Base width W")
    width.fill("17")
    width.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Use 8, 16, 24 or 32")
    expect(width).to_have_value("17")


def test_an_axis_by_range_shows_every_run_in_the_grid_before_it_starts(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/launch?preset=digits-demo")
    type_into(page, "Training images n", "16..128 x2")
    type_into(page, "Training steps", "450, 1100, 2400, 6000 by n")
    type_into(page, "Seeds", "4..6")
    expect(page.get_by_role("button", name="Launch 12 runs")).to_be_visible()
    expect(page.locator(".tau-plan tbody tr")).to_have_count(4)
    expect(page.locator(".tau-plan tbody tr").first.locator(".tau-bar")).to_have_count(3)
    expect(page.get_by_text("Axes together")).to_be_visible()
    visitor.keep("launch-grid")


def test_form_to_yaml_and_back_keeps_what_was_typed(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/launch?preset=digits-demo")
    type_into(page, "Seeds", "7, 8")
    page.get_by_role("radio", name="YAML").click()
    text = page.get_by_role("textbox", name="Sweep")
    expect(text).to_contain_text("seed: [7, 8]")
    broken = text.input_value() + "  - oops\n"
    text.fill(broken)
    text.press("Control+Enter")
    expect(page.get_by_role("alert").first).to_contain_text("line ")
    page.get_by_role("radio", name="Form").click()
    expect(page.get_by_role("alert")).to_have_count(2)
    expect(page.get_by_role("radio", name="YAML")).to_be_checked()
    expect(page.get_by_role("textbox", name="Sweep")).to_have_value(broken)
    visitor.keep("launch-yaml-refused")
    text.fill(broken.replace("  - oops\n", ""))
    text.press("Control+Enter")
    page.get_by_role("radio", name="Form").click()
    expect(page.get_by_label("Seeds", exact=True)).to_have_value("7, 8")


def test_copying_gives_the_command_that_launches_the_same_sweep(browser: Browser, stand_in: str) -> None:
    with visiting(browser) as visitor:
        visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = visitor.open(f"{stand_in}/launch?preset=digits-demo")
        type_into(page, "Seeds", "5")
        command = "tauscope launch digits-demo --set base.seed=5"
        button = page.get_by_role("button", name="Copy as command")
        expect(button).to_have_attribute("title", command)
        button.click()
        expect(page.get_by_role("status").filter(has_text="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == command
        page.get_by_role("button", name="Copy as YAML").click()
        page.wait_for_function("navigator.clipboard.readText().then(text => text.includes('seed: 5'))")
        copied = yaml.safe_load(page.evaluate("navigator.clipboard.readText()"))
        assert copied == apply_settings(load_preset("digits-demo").sweep, {"seed": 5}).model_dump(mode="json")


def test_the_launch_page_is_usable_at_390_px_and_in_dark(visitor: Visitor, stand_in: str) -> None:
    visitor.look_through(390, 844, dark=True)
    page = visitor.open(f"{stand_in}/launch?preset=digits-demo")
    expect(page.get_by_role("button", name="Launch 3 runs")).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    visitor.keep("launch-390-dark")


def test_a_changed_form_is_launched_on_the_real_stack_and_can_be_copied(visitor: Visitor, stack: str) -> None:
    page = visitor.open(f"{stack}/launch?preset=digits-ci")
    type_into(page, "Name", "from the form")
    type_into(page, "Training images n", "4, 8")
    type_into(page, "Training steps", "40")
    type_into(page, "Base width W, channels", "8")
    type_into(page, "Samples each", "32")
    expect(page.get_by_role("button", name="Launch 2 runs")).to_be_visible()
    page.keyboard.press("Control+Enter")
    wait_for_chart(page)
    expect(page.locator(".tau-title")).to_have_text("from the form")
    expect(page.locator(".tau-pill")).to_contain_text("Finished, 2 of 2", timeout=90_000)
    identifier = page.evaluate("new URLSearchParams(location.search).get('id')")
    copy = visitor.open(f"{stack}/launch?from={identifier}")
    expect(copy.get_by_label("Training images n", exact=True)).to_have_value("4, 8")
    expect(copy.get_by_text("2 earlier runs of this network and image size")).to_be_visible()
    visitor.keep("launch-clone")
    grow(visitor, stack, identifier)


def grow(visitor: Visitor, stack: str, identifier: str) -> None:
    """Give the finished experiment a further seed, from its own page."""
    page = visitor.open(f"{stack}/experiment?id={identifier}")
    page.get_by_role("link", name="Add runs").click()
    expect(page.get_by_text("Nothing to add yet")).to_be_visible(timeout=20_000)
    expect(page.get_by_label("Seeds", exact=True)).to_have_value("4")
    type_into(page, "Seeds", "4, 77")
    expect(page.get_by_role("button", name="Add 2 runs")).to_be_visible(timeout=20_000)
    visitor.keep("launch-grow")
    page.keyboard.press("Control+Enter")
    wait_for_chart(page)
    expect(page.locator(".tau-pill")).to_contain_text("Finished, 4 of 4", timeout=90_000)
