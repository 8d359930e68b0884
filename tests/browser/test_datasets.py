"""A user's own images in the browser: uploaded, seen, launched on by name, and named on the run; a bad archive is refused at its field."""

from pathlib import Path

import yaml
from playwright.sync_api import expect

from tauscope.specs import apply_settings, load_preset
from tests.backend.test_datasets import packed
from tests.browser.conftest import Visitor
from tests.browser.test_main_flow import TINY


def test_an_uploaded_archive_is_launched_on_by_its_name(visitor: Visitor, stack: str, tmp_path: Path) -> None:
    good, bad = tmp_path / "shapes.zip", tmp_path / "broken.zip"
    good.write_bytes(packed(60, twice=20))
    bad.write_bytes(b"this is no archive")
    page = visitor.open(f"{stack}/data")
    page.get_by_label("Name", exact=True).fill("shapes")
    page.get_by_label("Archive", exact=True).set_input_files(bad)
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("alert").filter(has_text="broken.zip is not a whole zip archive")).to_be_visible(timeout=60_000)
    visitor.keep("data-refused")
    visitor.faults.clear()  # The browser reports an answer of 422 by itself.

    page.get_by_label("Archive", exact=True).set_input_files(good)
    page.get_by_role("button", name="Register").click()
    card = page.locator("[data-name=shapes]")
    expect(card).to_contain_text("80 images", timeout=60_000)
    expect(card).to_contain_text("40 images equal another in every byte")
    page.wait_for_function("document.querySelector('[data-name=shapes] img').naturalWidth === 256")
    visitor.keep("data-registered")

    card.get_by_role("link", name="Launch on it").click()
    expect(page.get_by_role("button", name="Launch 1 run")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("held-out images equal a training image").first).to_be_visible()
    visitor.keep("launch-on-data")

    own = {"n_train": [16], "base.dataset.name": "shapes", "base.dataset.size": 8, "base.dataset.n_held_out": 40}
    sweep = apply_settings(load_preset("digits-ci").sweep, TINY | {"name": "tiny shapes", "base.steps": 40} | own)
    page = visitor.open(f"{stack}/launch?preset=digits-ci&view=yaml")
    page.get_by_role("textbox", name="Sweep").fill(yaml.safe_dump(sweep.model_dump(mode="json"), sort_keys=False))
    page.get_by_role("textbox", name="Sweep").press("Control+Enter")
    page.get_by_role("button", name="Launch 1 run").click()
    expect(page.locator(".tau-pill")).to_contain_text("Finished, 1 of 1", timeout=60_000)
    expect(page.get_by_text("the control is not clean").first).to_be_visible(timeout=60_000)
    visitor.keep("watch-not-clean")
    page.get_by_role("link", name="Run history").click()
    expect(page.get_by_text("data set shapes")).to_be_visible(timeout=60_000)
    visitor.keep("run-on-data")


def test_a_set_is_removed_after_asking_once(visitor: Visitor, stack: str, tmp_path: Path) -> None:
    archive = tmp_path / "gone.zip"
    archive.write_bytes(packed(40))
    page = visitor.open(f"{stack}/data")
    page.get_by_label("Name", exact=True).fill("gone")
    page.get_by_label("Archive", exact=True).set_input_files(archive)
    page.get_by_role("button", name="Register").click()
    card = page.locator("[data-name=gone]")
    expect(card).to_be_visible(timeout=60_000)
    card.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Remove it").click()
    expect(card).to_have_count(0, timeout=60_000)
