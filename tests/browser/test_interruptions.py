"""What comes between a page and its data: a cut stream, a killed API, a second browser, an owner."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chart import wait_for_chart, wait_for_points
from tests.browser.conftest import Visitor, grow_anew, visiting
from tests.frontend import fake_world as world
from tests.frontend.fake_api import FakeApi
from tests.service import wait_for

HELD = "document.querySelector('.tau-watch').tauWatch.curves.runs"
LOST = "Live connection lost at"


def held(page: Page) -> dict[str, dict[str, dict[str, list[Any]]]]:
    """The series that the page holds now, by run and metric."""
    found: dict[str, dict[str, dict[str, list[Any]]]] = page.evaluate(HELD)
    return found


def gaps(page: Page, known: dict[str, Any]) -> list[str]:
    """Which series of the service the page does not hold point for point, up to the last step that both know: either may be ahead."""
    missing = []
    for run, series in held(page).items():
        for metric, found in series.items():
            ours, theirs = found["step"], known[run][metric]["step"]
            last = min(ours[-1], theirs[-1])
            missing += [f"{run} {metric}"] if [x for x in ours if x <= last] != [x for x in theirs if x <= last] else []
    return missing


def test_a_stream_that_is_cut_again_and_again_leaves_no_point_out(visitor: Visitor, stand_in: str, fake: FakeApi) -> None:
    grow_anew(stand_in)
    page = visitor.open(f"{stand_in}/experiment?id=live")
    wait_for_chart(page)
    fake.resumed.clear()
    for _ in range(3):
        seen = page.evaluate(f"Math.max(...{HELD}.liver2['loss_held_out@100'].step)")
        fake.cuts += 1
        page.wait_for_function(f"Math.max(...{HELD}.liver2['loss_held_out@100'].step) > {seen}")
    assert len(fake.resumed) >= 3, "the browser resumes from the last event it heard"
    assert gaps(page, json.loads(world.curves_of(fake.experiment("live")).model_dump_json())["runs"]) == []


def test_two_browsers_see_the_same_and_what_one_asks_the_other_is_told(browser: Browser, stand_in: str) -> None:
    with visiting(browser) as one, visiting(browser, dark=True) as other:
        grow_anew(stand_in)
        pages = [visitor.open(f"{stand_in}/experiment?id=live") for visitor in (one, other)]
        for page in pages:
            wait_for_chart(page)
        pages[0].get_by_role("button", name="Stop").click()
        pages[0].get_by_role("button", name="Stop all runs").click()
        for page in pages:
            expect(page.locator(".tau-pill")).to_contain_text("Stopped", timeout=15_000)
        wait_for(lambda: held(pages[0]) == held(pages[1]), "the same points in both", seconds=10)


@pytest.fixture
def growing(stack: str) -> Iterator[str]:
    """An experiment that trains for as long as the test takes."""
    settings = {
        **{"name": "interrupted", "n_train": [4], "overrides": {}, "base.steps": 20_000, "base.batch_size": 4},
        "base.network": {"name": "unet", "base_width": 8, "multipliers": [1, 2], "blocks": 1, "attention": [False, False]},
        "base.measurement.n_generated": 32,
        "base.measurement.sampler": {"name": "ddim", "steps": 2},
        "base.measurement.schedule": {"kind": "explicit", "at": list(range(20, 20_001, 20))},
    }
    with httpx.Client(base_url=f"{stack}/api/v1", timeout=30, trust_env=False) as api:
        answer = api.post("/experiments", json={"preset": "digits-ci", "settings": settings})
        assert answer.is_success, answer.text
        identifier = answer.json()["id"]
        yield identifier
        api.post(f"/experiments/{identifier}/stop")


def curves(stack: str, identifier: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{stack}/api/v1/experiments/{identifier}/curves", trust_env=False).json()["runs"]
    return found


def test_a_killed_api_is_said_comes_back_and_costs_no_point(visitor: Visitor, stack: str, growing: str, home: Path) -> None:
    page = visitor.open(f"{stack}/experiment?id={growing}")
    wait_for_chart(page)
    seen = wait_for_points(page, "f_mem", more_than=0, seconds=120)
    os.kill(json.loads((home / "parts.json").read_text())["api"][0], signal.SIGKILL)
    expect(page.get_by_text(LOST)).to_be_visible(timeout=15_000)
    visitor.keep("watch-api-killed")
    expect(page.get_by_text(LOST)).to_be_hidden(timeout=30_000)
    wait_for_points(page, "f_mem", more_than=seen, seconds=120)
    assert gaps(page, curves(stack, growing)) == []
    visitor.faults = [fault for fault in visitor.faults if "Failed to load resource" not in fault]


def test_an_experiment_is_paused_resumed_and_stopped_from_its_page(visitor: Visitor, stack: str, growing: str) -> None:
    page = visitor.open(f"{stack}/experiment?id={growing}")
    pill = page.locator(".tau-pill")
    expect(pill).to_contain_text("Running", timeout=30_000)
    page.get_by_role("button", name="Pause").click()
    expect(pill).to_contain_text("Paused", timeout=30_000)
    state = httpx.get(f"{stack}/api/v1/experiments/{growing}", trust_env=False).json()
    page.get_by_role("button", name="Resume").click()
    expect(pill).to_contain_text("Running", timeout=30_000)
    step = state["runs"][0]["step"]
    address = f"{stack}/api/v1/experiments/{growing}"
    wait_for(lambda: httpx.get(address, trust_env=False).json()["runs"][0]["step"] > step, "a step after the pause")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Stop all runs").click()
    expect(pill).to_contain_text("Stopped", timeout=30_000)
