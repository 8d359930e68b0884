"""A local sweep samples its saved checkpoints further once it is trained, to the same end wherever it was broken off."""

from functools import partial
from pathlib import Path

import pytest

from tauscope.execution import local_sweep
from tauscope.execution.local_sweep import LocalSweep
from tauscope.execution.trainer_process import TrainerProcess
from tauscope.results.folder import read_measurements
from tauscope.specs import SweepSpec, apply_settings, load_preset
from tauscope.specs.schedule import Adaptive

SCHEDULE = Adaptive(first=5, count=4, checkpoints=40, target=1.15, budget=6)
COARSE, REFINED = [5, 14, 37, 100], [23, 29, 32, 34]


class Killed(BaseException):
    """As if the process were gone: nothing of it is caught."""


def sweep(**settings: object) -> SweepSpec:
    wanted = {"n_train": [8], "overrides": {}, "steps": 100, "n_generated": 32, "measurement.schedule": SCHEDULE.model_dump()}
    return apply_settings(load_preset("digits-ci").sweep, wanted | settings)


@pytest.fixture(autouse=True)
def counting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children that count instead of training, and copy from step 33 on."""
    monkeypatch.setattr(local_sweep, "TrainerProcess", partial(TrainerProcess, module="tests.worker.fake_child"))
    monkeypatch.setenv("FAKE_CHILD_COPIES_FROM", "33")


def sampled(folder: Path) -> list[int]:
    (points,) = read_measurements(folder).values()
    return sorted(point.step for point in points if point.metric == "f_mem")


def checkpoints(folder: Path) -> set[int]:
    return {int(file.stem) for file in folder.glob("runs/*/checkpoints/*.json")}


def test_the_interval_narrows_to_the_target_and_unsampled_checkpoints_go(tmp_path: Path) -> None:
    local, told = LocalSweep(sweep(), tmp_path / "out"), []
    local.execute(processes=1, on_change=lambda: told.append(local.runs[0].reason))
    (run,) = local.finish().runs
    assert (run.state, run.reason, run.onsets["tau_mem"].low, run.onsets["tau_mem"].high) == ("finished", "", 32, 34)
    assert sampled(local.folder) == sorted(COARSE + REFINED)
    assert checkpoints(local.folder) == {*COARSE, *REFINED, SCHEDULE.saved(100)[-2]}
    assert any(words.startswith("refines tau_mem (14 to 37, a factor of 2.64): draws the samples of step 23") for words in told)


@pytest.mark.parametrize("how", [Killed, KeyboardInterrupt])
def test_a_sweep_broken_off_while_it_refines_goes_on_to_the_same_end(tmp_path: Path, how: type[BaseException]) -> None:
    local = LocalSweep(sweep(), tmp_path / "out")

    def break_off() -> None:
        if "2 of at most 6" in local.runs[0].reason:
            raise how

    with pytest.raises(how):
        local.execute(processes=1, on_change=break_off)
    again = LocalSweep(sweep(), tmp_path / "out", resume=True)
    assert (again.runs[0].state, checkpoints(again.folder)) == ("queued", set(SCHEDULE.saved(100)))
    again.execute(processes=1)
    assert [run.state for run in again.finish().runs] == ["finished"]
    assert sampled(again.folder) == sorted(COARSE + REFINED)


def test_a_run_that_its_policy_stopped_is_refined_and_stays_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CHILD_COPIES_FROM", "12")
    local = LocalSweep(sweep(stopping={"name": "copying", "confirmations": 1, "level": 0.05}), tmp_path / "out")
    local.execute(processes=1)
    (run,) = local.finish().runs
    assert (run.state, run.onsets["tau_mem"].low, run.onsets["tau_mem"].high) == ("stopped", 11, 12)
    assert run.reason.startswith("stopped by its policy at 14")
    resumed = LocalSweep(local.sweep, local.folder, resume=True)
    assert resumed.runs[0].state == "stopped"
