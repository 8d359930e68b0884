"""The product's main job in a real browser on the real stack: launch, watch the curve grow, see generated beside copied."""

import re

import yaml
from playwright.sync_api import Page, expect

from tauscope.specs import apply_settings, load_preset
from tests.browser.chart import points, wait_for_chart, wait_for_points, zoom
from tests.browser.conftest import Visitor, grow_anew
from tests.browser.gallery import pixels_of_card, pixels_of_image, wait_for_cards

TINY = {
    "name": "tiny digits",
    "n_train": [4, 8],
    "overrides": {},
    "base.steps": 240,
    "base.network": {"name": "unet", "base_width": 8, "multipliers": [1, 2], "blocks": 1, "attention": [False, False]},
    "base.batch_size": 16,
    "base.measurement.schedule": {"kind": "log_spaced", "first": 5, "count": 8},
    "base.measurement.n_generated": 32,
    "base.measurement.sampler": {"name": "ddim", "steps": 4},
}


def tiny_sweep() -> str:
    sweep = apply_settings(load_preset("digits-ci").sweep, TINY)
    return yaml.safe_dump(sweep.model_dump(mode="json"), sort_keys=False)


def launch_tiny(visitor: Visitor, stack: str) -> Page:
    page = visitor.open(f"{stack}/launch?preset=digits-ci&view=yaml")
    page.get_by_role("textbox", name="Sweep").fill(tiny_sweep())
    page.get_by_role("textbox", name="Sweep").press("Control+Enter")
    visitor.keep("launch-yaml")
    page.get_by_role("button", name="Launch 2 runs").click()
    return page


def test_launch_watch_the_curve_grow_and_open_the_gallery(visitor: Visitor, stack: str) -> None:
    page = launch_tiny(visitor, stack)
    wait_for_chart(page)
    assert re.search(r"/experiment\?id=\w+", page.evaluate("location.href"))
    seen = wait_for_points(page, "f_mem", more_than=0, seconds=60)
    visitor.keep("watch-growing")
    assert wait_for_points(page, "f_mem", more_than=seen) > seen
    expect(page.locator(".tau-pill")).to_contain_text("Finished, 2 of 2", timeout=60_000)
    assert wait_for_points(page, "f_mem", more_than=15) == 16
    assert points(page, "f_mem") == points_of_control(page)
    visitor.keep("watch-finished")

    page.get_by_role("link", name="Inspect samples").click()
    wait_for_cards(page)
    visitor.keep("inspect-real")
    assert pixels_of_card(page, 0) == pixels_of_image(page, "samples/240/0.png")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("location.search.includes('step=')")
    page.keyboard.press("j")
    page.wait_for_function("location.search.includes('seed=1')")


def points_of_control(page: Page) -> int:
    bound = "document.querySelector('.tau-chart').data.filter(t => t.meta?.bind?.metric === 'f_mem_control')"
    return int(page.evaluate(f"{bound}.reduce((n, t) => n + t.x.length, 0)"))


def test_zoom_survives_arriving_points(visitor: Visitor, stand_in: str) -> None:
    grow_anew(stand_in)
    page = visitor.open(f"{stand_in}/experiment?id=live")
    wait_for_chart(page)
    chosen = zoom(page)
    seen = points(page, "loss_held_out@100")
    wait_for_points(page, "loss_held_out@100", more_than=seen)
    page.wait_for_timeout(1200)
    assert page.evaluate("[...document.querySelector('.tau-chart')._fullLayout.xaxis.range]") == chosen
