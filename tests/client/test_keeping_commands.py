"""The commands about checkpoints against a real server: a dry run unless asked otherwise."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from backend.storage.offers import Offer
from backend.storage.remeasuring import claim_remeasurement, complete_remeasurement
from tauscope.cli.app import app
from tauscope.client import TauscopeClient
from tauscope.contracts.experiments import ExperimentCreate
from tauscope.contracts.points import Point
from tests.backend.conftest import FakeWorker
from tests.backend.test_retention import set_onsets, train
from tests.client.conftest import LiveServer


class Terminal:
    """Runs commands against the server, for a run whose checkpoints nothing but its last two keeps."""

    def __init__(self, server: LiveServer, experiment: str, run: str) -> None:
        self.experiment, self.run = experiment, run
        self._url = server.url

    def __call__(self, *arguments: str) -> str:
        result = CliRunner().invoke(app, [*arguments, "--url", self._url], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str) -> Any:
        # The server's log goes to the same output.
        return json.loads(self(*arguments, "--json").splitlines()[-1])


@pytest.fixture
def tauscope(server: LiveServer, api: TauscopeClient, worker: FakeWorker) -> Terminal:
    experiment = api.launch(ExperimentCreate(preset="digits-ci", settings={"steps": 60, "n_train": [8]})).id
    claim = train(worker, over=False)
    set_onsets(worker.sessions, claim, {})
    worker.finish(claim)
    return Terminal(server, experiment, claim.run_id)


def test_prune_tells_and_removes_only_when_asked_to(tauscope: Terminal, api: TauscopeClient) -> None:
    told = tauscope("prune", tauscope.experiment)
    assert "Would remove 4 checkpoints" in told and "--apply" in told
    assert len(api.checkpoints(tauscope.run).checkpoints) == 6
    done = tauscope.json("prune", tauscope.run, "--apply")
    assert done["runs"][0]["dropped"] == [10, 20, 30, 40]
    assert [item.step for item in api.checkpoints(tauscope.run).checkpoints] == [50, 60]
    assert "Removed 0 checkpoints: 0 B" in tauscope("prune", tauscope.run, "--apply")


def test_a_pin_shows_in_the_list_of_checkpoints_and_can_be_taken_off(tauscope: Terminal) -> None:
    tauscope("pin", tauscope.run, "30")
    listed = tauscope("checkpoints", tauscope.run)
    assert "pinned" in listed and "Recommended: none; nothing was measured yet" in listed
    assert [item["pinned"] for item in tauscope.json("checkpoints", tauscope.run)["checkpoints"]].count(True) == 1
    tauscope("pin", tauscope.run, "30", "--off")
    assert "(pruning drops it)" in tauscope("checkpoints", tauscope.run)


def test_the_doctor_tells_the_space_that_a_service_takes(tauscope: Terminal, server: LiveServer) -> None:
    checks = {check["part"]: check for check in tauscope.json("doctor")}
    assert checks["storage"]["ok"] and "of artifacts" in checks["storage"]["found"]


def test_orphans_are_asked_for_by_name(tauscope: Terminal) -> None:
    assert "Would remove 0 files that no run refers to" in tauscope("prune", "--orphans")
    assert tauscope.json("prune", "--orphans", "--apply") == {
        "dry_run": False,
        "rows": 0,
        "files": 0,
        "n_bytes": 0,
    }
    result = CliRunner().invoke(app, ["prune"])
    assert result.exit_code == 2 and "--orphans" in result.output


def test_show_and_checkpoints_name_the_checkpoint_to_keep_with_its_margin(
    server: LiveServer, api: TauscopeClient, worker: FakeWorker
) -> None:
    experiment = api.launch(ExperimentCreate(preset="digits-ci", settings={"steps": 60, "n_train": [8]})).id
    tauscope = Terminal(server, experiment, train(worker).run_id)
    keep = "step 30: loss_held_out@100 0 (0 to 0), f_mem 0 of 32 (under 10 %), 67 % of tau_mem (60 to 75 %)"
    assert f"keep of n_train=8: {keep}" in " ".join(tauscope("show", experiment).split())
    assert f"Recommended: {keep}" in " ".join(tauscope("checkpoints", tauscope.run).split())


def test_remeasure_asks_once_says_how_far_it_is_and_shows_both_estimates(tauscope: Terminal, worker: FakeWorker) -> None:
    told = tauscope("remeasure", tauscope.run, "--samples", "4096", "--step", "10", "--step", "20")
    assert "n_generated 4,096: waiting steps 10, 20" in told
    with worker.sessions.begin() as session:
        claim = claim_remeasurement(session, "one", 60, Offer())
        assert claim is not None
        points = [Point(step=10, metric="f_mem", value=0.25, low=0.23, high=0.27, count=4096)]
        complete_remeasurement(session, claim, points, from_step=10)
    told = tauscope("remeasure", tauscope.run, "--set", "n_generated=4096", "--step", "10")
    assert "measured step 10; waiting step 20" in told and "0.2500 (0.2300 to 0.2700) of 4,096" in told
    assert tauscope.json("remeasure", tauscope.run, "--samples", "4096", "--step", "10")["name"] == "n_generated 4,096"


def test_qualities_that_a_run_never_measured_are_told_beside_real_and_training_images(tauscope: Terminal, worker: FakeWorker) -> None:
    asked = ("remeasure", tauscope.run, "--step", "10", "--set", "features=[{name: pixels_pca, metrics: [kid], samples: 32}]")
    tauscope(*asked)
    with worker.sessions.begin() as session:
        claim = claim_remeasurement(session, "one", 60, Offer())
        assert claim is not None
        names = {"f_mem": 0.25, "kid_pixels_pca": 0.75, "kid_pixels_pca_floor": 0.125, "kid_pixels_pca_train": 0.5}
        points = [Point(step=10, metric=name, value=value, low=0.0, high=1.0, count=32) for name, value in names.items()]
        complete_remeasurement(session, claim, points, from_step=10)
    told = " ".join(tauscope(*asked).split())
    assert "newly measured of samples of real images of the training images" in told
    values = " ".join(f"{value:.4f} (0.0000 to 1.0000) of 32" for value in (0.75, 0.125, 0.5))
    assert f"10 kid_pixels_pca {values}" in told
    assert "newly" not in tauscope("remeasure", tauscope.run, "--samples", "4096", "--step", "10")


def test_draw_again_says_that_a_run_has_no_gap(tauscope: Terminal) -> None:
    assert f"{tauscope.run} has no gap" in tauscope("draw-again", tauscope.run)
