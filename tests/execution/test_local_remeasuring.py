"""A results folder is measured again with real children: the same settings give the same numbers, and nothing is done twice."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tauscope.cli.app import app
from tauscope.execution.local_remeasuring import LocalRemeasuring
from tauscope.execution.local_sweep import LocalSweep
from tauscope.results.folder import read_measurements
from tauscope.results.remeasured import read_remeasured
from tauscope.specs import SpecError, apply_settings, load_preset

MORE = {"n_generated": 64}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = {
        "n_train": [8],
        "steps": 12,
        "overrides": {},
        "n_generated": 32,
        "measurement.schedule.count": 3,
        "measurement.schedule.first": 2,
    }
    sweep = LocalSweep(apply_settings(load_preset("digits-ci").sweep, settings), tmp_path_factory.mktemp("results") / "out")
    sweep.execute(processes=1)
    sweep.finish()
    return sweep.folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained, tmp_path / "out")


def test_the_same_settings_give_the_same_points_and_other_settings_a_set_beside_them(folder: Path) -> None:
    (run, own), *_ = read_measurements(folder).items()
    again = LocalRemeasuring(folder, {})
    steps = [task.step for task in again.tasks]
    again.execute(processes=2)
    found = {(row.point.metric, row.point.step): row.point for row in again.points}
    assert found == {(point.metric, point.step): point for point in own if point.step in steps}
    more = LocalRemeasuring(folder, MORE, steps=steps[-1:], name="more samples")
    more.execute(processes=1)
    counts = {row.point.count for row in more.points if row.point.metric == "f_mem"}
    assert (counts, {(row.run, row.set, row.from_step) for row in more.points}) == ({64}, {(run, "more samples", steps[-1])})
    assert read_measurements(folder) == {run: own}
    assert len(read_remeasured(folder)) == len(again.points) + len(more.points)
    assert LocalRemeasuring(folder, {}).tasks == [] and LocalRemeasuring(folder, MORE, steps=steps[-1:]).tasks == []
    shown = CliRunner().invoke(app, ["remeasure", str(folder), "--samples", "64", "--step", str(steps[-1])], catch_exceptions=False)
    assert shown.exit_code == 0 and "f_mem measured again" in shown.output and "of 64" in shown.output and "of 32" in shown.output


def test_steps_between_checkpoints_are_trained_again_only_by_the_code_that_wrote_them(folder: Path) -> None:
    again = LocalRemeasuring(folder, {}, steps=[9])
    (task,) = again.tasks
    assert task.from_step < 9
    state = task.checkpoint.read_text()
    task.checkpoint.write_text(state.replace('"code_version": "', '"code_version": "older-'))
    with pytest.raises(SpecError, match="use the version that wrote it"):
        again.execute(processes=1)
    assert read_remeasured(folder) == []


def test_a_step_before_the_first_checkpoint_or_another_spec_is_refused(folder: Path) -> None:
    with pytest.raises(SpecError, match="holds no checkpoint to measure from"):
        LocalRemeasuring(folder, {}, steps=[10_000])
    with pytest.raises(SpecError, match="n_generated"):
        LocalRemeasuring(folder, {"n_generated": 3})


def test_a_projection_refers_to_an_earlier_checkpoint_and_changes_only_samples_that_are_drawn_later(folder: Path) -> None:
    first, *_, last = steps = [task.step for task in LocalRemeasuring(folder, {}).tasks]
    assert first < last
    again = LocalRemeasuring(folder, {"sampler.projection": {"reference": first}}, steps=[first, last])
    again.execute(processes=1)
    (own,) = read_measurements(folder).values()
    held = {(point.metric, point.step): point.value for point in own}
    found = {(row.point.metric, row.point.step): row.point.value for row in again.points}
    same = {place for place, value in found.items() if held[place] == value}
    assert {place for place in found if place[1] == first} <= same
    assert ("frechet_pca", last) not in same and ("loss_held_out@100", last) in same
    with pytest.raises(
        SpecError, match=rf"sampler.projection.reference: run \S+ has no checkpoint of step 7. Choose one that it has: {first}"
    ):
        LocalRemeasuring(folder, {"sampler.projection": {"reference": 7}})
    assert len(steps) == 3


def test_a_checkpoint_is_asked_afterwards_for_copies_between_features(folder: Path) -> None:
    features = [{"name": "pixels_pca", "components": 4, "metrics": ["copies"]}]
    again = LocalRemeasuring(folder, {"features": features}, steps=[12])
    again.execute(processes=1)
    found = {row.point.metric: row.point for row in again.points if row.point.metric.startswith("copies")}
    names = [f"copies{which}_pixels_pca{ending}" for which in ("", "_quarter", "_half") for ending in ("", "_floor", "_train")]
    assert sorted(found) == sorted(names)
    assert found["copies_pixels_pca"].count == 32
    assert found["copies_pixels_pca_train"].value == 1.0
