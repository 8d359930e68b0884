"""Warnings over HTTP: calibrated on the runs that finished here, and never on the run itself."""

from typing import Any

import pytest

from backend.services import pools
from tauscope.contracts.points import Point
from tauscope.contracts.warnings import ExperimentWarnings, Outcome, ProbeCalibration
from tests.backend.conftest import API, FakeWorker, TestClient

GAP = "loss_gap@100"
STEPS = (10, 20, 40, 80, 160, 320, 640)


def launch(client: TestClient, *seeds: int) -> str:
    """Three runs, n = 8, 16 and 32, for each seed."""
    response = client.post(f"{API}/experiments", json={"preset": "digits-ci", "settings": {"seed": list(seeds)}})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def compute(worker: FakeWorker, count: int, *, finish: bool = True) -> None:
    """Runs whose gap is 1/2 at step 80 and which copy at 160."""
    for _ in range(count):
        claim = worker.claim()
        for step in STEPS:
            worker.measure(claim, step)
        gaps = [(step, step / (step + 80)) for step in STEPS]
        points = [Point(step=step, metric=GAP, value=gap, low=gap - 0.01, high=gap + 0.01, count=512) for step, gap in gaps]
        worker.flush(claim, points=points)
        if finish:
            worker.finish(claim, tau_mem=160)


def calibration(client: TestClient) -> tuple[ProbeCalibration, ...]:
    return tuple(ProbeCalibration.model_validate(item) for item in client.get(f"{API}/warnings/calibration").json())


def warnings(client: TestClient, identifier: str) -> ExperimentWarnings:
    return ExperimentWarnings.model_validate_json(client.get(f"{API}/experiments/{identifier}/warnings").content)


def test_before_anything_finished_there_is_no_calibration(client: TestClient, experiment: dict[str, Any], worker: FakeWorker) -> None:
    assert calibration(client) == ()
    compute(worker, 1, finish=False)
    (found,) = warnings(client, experiment["id"]).warnings
    assert (found.level, found.onset, found.note) == (None, None, "not calibrated: 0 of the 6 finished runs it takes")


def test_six_runs_of_three_configurations_calibrate_the_gap(client: TestClient, worker: FakeWorker) -> None:
    identifier = launch(client, 1, 2)
    compute(worker, 5)
    (before,) = calibration(client)
    assert before.note == "not calibrated: 5 of the 6 finished runs it takes"
    compute(worker, 1)
    (found,) = calibration(client)
    assert (found.dataset, found.size, found.metric, found.tau_mem_level) == ("digits", 8, GAP, 0.25)
    assert (found.runs, found.configurations) == (6, 3)
    # Three times before 160 is step 53.3, where the gap is 40 %, or 39.x % on the line between the measured points.
    assert found.level == pytest.approx(0.40, abs=0.02)
    assert found.lead is not None
    assert found.lead.value == pytest.approx(160 / 53.3, rel=0.06)
    assert found.lead.count == 6
    assert found.outcomes[Outcome.EARLY] == 6
    told = warnings(client, identifier)
    assert [item.outcome for item in told.warnings] == [Outcome.EARLY] * 6
    assert {item.note for item in told.warnings} == {"level from 4 runs of other configurations"}
    assert [item.metric for item in told.calibrations] == [GAP]
    assert told.metrics[GAP].role == "warning"


def test_the_same_run_launched_again_is_counted_once(client: TestClient, worker: FakeWorker) -> None:
    for _ in range(2):
        launch(client, 1, 2)
        compute(worker, 6)
    (found,) = calibration(client)
    assert found.runs == 6


def test_runs_that_agree_in_all_but_chance_are_one_configuration() -> None:
    spec = {"dataset": {"name": "digits", "n_train": 16, "size": 8, "subset": 0}, "network": {"base_width": 16}, "seed": 1, "steps": 100}
    same = spec | {"seed": 2, "steps": 900, "dataset": {**spec["dataset"], "subset": 3}}  # type: ignore[dict-item]
    wider = spec | {"network": {"base_width": 32}}
    assert pools.configuration_of(spec) == pools.configuration_of(same)
    assert pools.configuration_of(spec) != pools.configuration_of(wider)


def test_a_page_that_asks_again_reads_past_runs_only_after_another_finished(
    client: TestClient, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    finished = pools.finished_runs

    def spy(session: Any, dataset: str, prefixes: Any) -> Any:
        read.append(dataset)
        return finished(session, dataset, prefixes)

    monkeypatch.setattr(pools, "finished_runs", spy)
    identifier = launch(client, 1, 2)
    compute(worker, 5)
    for _ in range(3):
        warnings(client, identifier)
        calibration(client)
    assert read == ["digits"]
    compute(worker, 1)
    assert calibration(client)[0].runs == 6
    assert read == ["digits"] * 2


def test_warnings_of_an_unknown_experiment_are_refused(client: TestClient) -> None:
    assert client.get(f"{API}/experiments/none/warnings").status_code == 404


def test_a_live_run_is_warned_of_as_soon_as_its_probe_has_the_points(client: TestClient, worker: FakeWorker) -> None:
    launch(client, 1, 2)
    compute(worker, 6)
    identifier = launch(client, 3)
    claim = worker.claim()

    def measure(*steps: int) -> Any:
        points = [Point(step=s, metric=GAP, value=(g := s / (s + 80)), low=g - 0.01, high=g + 0.01, count=512) for s in steps]
        worker.flush(claim, points=points)
        (found,) = warnings(client, identifier).warnings
        return found.onset

    assert measure(10, 20).value is None
    assert measure(80, 160).value == pytest.approx(55, rel=0.1)
    assert warnings(client, identifier).warnings[0].outcome is None
