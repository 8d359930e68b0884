"""Kinds without images on the real stack: a mixture from launch to its own page, and the windows of a series beside those they copy."""

import re
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import yaml
from playwright.sync_api import Page, expect

from tauscope.specs import apply_settings, load_preset
from tests.browser.chart import wait_for_chart, wait_for_points
from tests.browser.conftest import Visitor
from tests.browser.gallery import pixels_of_card, pixels_of_image, wait_for_cards

pytestmark = pytest.mark.slow
MIXTURE = {
    "name": "tiny mixture",
    "n_train": [16, 32],
    "overrides": {},
    "base.steps": 400,
    "base.measurement.schedule.count": 10,
    "base.measurement.score_points": 256,
    "base.measurement.loss_pairs": 256,
}
SERIES: dict[str, Any] = {
    "name": "tiny series",
    "n_train": [8],
    "overrides": {},
    "base.steps": 60,
    "base.dataset": {"name": "series", "length": 8, "stride": 8, "n_train": 8, "n_held_out": 32},
    "base.network": {"name": "unet1d", "base_width": 8, "multipliers": [1], "blocks": 1},
    "base.measurement.schedule": {"kind": "explicit", "at": [20, 60]},
    "base.measurement.n_generated": 32,
    "base.measurement.dtw_radius": None,
    "base.measurement.sampler": {"name": "ddim", "steps": 4},
}


def launch(visitor: Visitor, stack: str, preset: str, settings: dict[str, Any], runs: str) -> Page:
    """Launch a changed preset from the form's YAML, and watch it to its end."""
    sweep = yaml.safe_dump(apply_settings(load_preset(preset).sweep, settings).model_dump(mode="json"), sort_keys=False)
    page = visitor.open(f"{stack}/launch?preset={preset}&view=yaml")
    page.get_by_role("textbox", name="Sweep").fill(sweep)
    page.get_by_role("textbox", name="Sweep").press("Control+Enter")
    page.get_by_role("button", name=f"Launch {runs}").click()
    wait_for_chart(page)
    return page


def test_a_mixture_is_launched_watched_and_stands_on_its_page_with_its_intervals(visitor: Visitor, stack: str) -> None:
    page = launch(visitor, stack, "gmm-minute", MIXTURE, "2 runs")
    assert wait_for_points(page, "alpha@150", more_than=0, seconds=120) > 0
    expect(page.locator(".tau-pill")).to_contain_text("Finished, 2 of 2", timeout=120_000)
    expect(page.get_by_role("link", name="Inspect samples")).to_have_count(0)

    page.get_by_role("link", name="Law", exact=True).click()
    page.wait_for_selector("[data-chart=collapse] .main-svg")
    page.wait_for_function("document.querySelector('[data-chart=collapse]').data.length > 0")
    expect(page.locator("[data-chart=collapse]")).to_contain_text("Projection order parameter alpha")
    visitor.keep("law-mixture-real")

    page.get_by_role("link", name="Mixture", exact=True).click()
    page.wait_for_selector("[data-chart=alpha] .main-svg")
    expect(page.locator(".tau-finding")).to_contain_text(re.compile(r"alpha is -?\d[\d.]* \(-?\d[\d.]* to -?\d[\d.]*\) at index 150"))
    bands = page.evaluate("document.querySelector('[data-chart=alpha]').data.filter(t => t.fill === 'tonexty').length")
    assert bands == 3, "alpha, what is orthogonal to it and alpha_ho have a band each"
    visitor.keep("mixture-real")


def test_windows_are_looked_at_beside_the_training_windows_and_called_so(visitor: Visitor, stack: str, tmp_path: Path) -> None:
    hours = np.arange(1200)
    values = np.sin(hours[:, None] / (3.0, 7.0)) + 0.2 * np.random.default_rng(1).standard_normal((1200, 2))
    np.save(tmp_path / "series.npy", values)
    page = launch(
        visitor, stack, "weather", SERIES | {"base.dataset": SERIES["base.dataset"] | {"path": str(tmp_path / "series.npy")}}, "1 run"
    )
    expect(page.locator(".tau-pill")).to_contain_text("Finished, 1 of 1", timeout=120_000)
    page.get_by_role("link", name="Inspect samples").click()
    wait_for_cards(page)
    visitor.keep("inspect-windows")
    assert pixels_of_card(page, 0) == pixels_of_image(page, "samples/60/0.png")
    words = " ".join(page.locator(".tau-inspect .tau-columns").all_inner_texts())
    assert "training window" in words and "image" not in words
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("location.search.includes('step=20')")

    run = page.evaluate("new URLSearchParams(location.search).get('run')")
    told = httpx.get(f"{stack}/api/v1/runs/{run}/copied?step=60", trust_env=False)
    assert told.is_success and told.json()["point"] == "window"
