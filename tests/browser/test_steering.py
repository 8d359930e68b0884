"""Steering runs of the real stack from their pages: a policy that stops one, going on in spite of it, a fork from a checkpoint."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.chart import wait_for_chart
from tests.browser.conftest import Visitor
from tests.service import wait_for

STEPS = 600  # Far beyond where the policy says stop, for the run may have trained on when it hears of it.
# Four digits and batches of four: the losses part at once, and the policy stops within seconds.
TINY = {
    "name": "four digits, stopped",
    "n_train": [4],
    "overrides": {},
    "base.steps": STEPS,
    "base.batch_size": 4,
    "base.network": {"name": "unet", "base_width": 8, "multipliers": [1, 2], "blocks": 1, "attention": [False, False]},
    "base.measurement.n_generated": 32,
    "base.measurement.sampler": {"name": "ddim", "steps": 2},
    "base.measurement.schedule": {"kind": "explicit", "at": list(range(20, STEPS + 1, 20))},
    "base.stopping": {"name": "window", "patience": 1, "confirmations": 1},
}


@pytest.fixture(scope="module")
def api(stack: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{stack}/api/v1", timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def stopped(api: httpx.Client) -> str:
    """A run that its policy has stopped."""
    answer = api.post("/experiments", json={"preset": "digits-ci", "settings": TINY})
    assert answer.is_success, answer.text
    run = str(answer.json()["runs"][0]["id"])
    wait_for_state(api, run, "stopped")
    return run


def wait_for_state(api: httpx.Client, run: str, state: str) -> dict[str, Any]:
    wait_for(lambda: read(api, run)["state"] == state, f"the run {state}", seconds=300)
    return read(api, run)


def read(api: httpx.Client, run: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/runs/{run}").json()
    return found


def run_page(visitor: Visitor, stack: str, run: str) -> Page:
    return visitor.open(f"{stack}/run?id={run}")


def test_a_changed_copy_begins_at_a_checkpoint_of_another_run(visitor: Visitor, stack: str, api: httpx.Client, stopped: str) -> None:
    page = visitor.open(f"{stack}/launch?fork={stopped}&step=40")
    rate = page.get_by_role("textbox", name="Learning rate")
    rate.wait_for(timeout=60_000)
    rate.fill("0.001")
    rate.press("Enter")
    expect(page.get_by_text("changed, was 0.002")).to_be_visible(timeout=60_000)
    visitor.keep("launch-fork-real")
    page.get_by_role("button", name="Launch 1 run").click(timeout=60_000)
    page.wait_for_function("location.pathname === '/experiment'", timeout=60_000)
    wait_for_chart(page)
    experiment = api.get(f"/experiments/{page.evaluate('new URLSearchParams(location.search).get(`id`)')}").json()
    run = experiment["runs"][0]["id"]
    wait_for(lambda: read(api, run)["state"] in ("stopped", "finished"), "the end of the fork", seconds=300)
    begun = experiment["sweep"]["base"]["fork"]
    assert (begun["run"], begun["step"]) == (stopped, 40)
    assert experiment["sweep"]["base"]["optimizer"]["lr"] == 0.001
    curves = api.get(f"/experiments/{experiment['id']}/curves").json()["runs"][run]
    assert min(curves["f_mem"]["step"]) > 40, "what came before the checkpoint belongs to the other run"
    assert api.get(f"/runs/{run}/attempts").json()[0]["from_step"] == 40


def test_a_run_that_its_policy_stopped_says_why_and_goes_on_when_its_owner_says_so(
    visitor: Visitor, stack: str, api: httpx.Client, stopped: str
) -> None:
    run = read(api, stopped)
    assert run["step"] < STEPS and run["reason"].startswith("stopped by its policy at ")
    page = run_page(visitor, stack, stopped)
    expect(page.get_by_text("Stopped by its policy at").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("loss_held_out@100").first).to_be_visible()
    visitor.keep("run-stopped-by-policy")
    page.get_by_role("button", name="Go on in spite of its policy").click()
    expect(page.get_by_role("button", name="Go on in spite of its policy")).to_be_hidden(timeout=60_000)
    after = wait_for_state(api, stopped, "finished")
    assert after["step"] == STEPS
    events = [event["name"] for event in api.get(f"/runs/{stopped}/events").json()]
    assert [name for name in events if name in ("policy_says_stop", "extended", "finished")] == ["policy_says_stop", "extended", "finished"]
    page.reload()
    expect(page.get_by_text(f"finished, τ {STEPS} of {STEPS}")).to_be_visible(timeout=60_000)
