"""Twins in a results folder are compared when the sweep ends, once, and the folder is checked against what lies in it."""

from pathlib import Path

import numpy as np
import pytest

from tauscope.contracts.onsets import OnsetStatus
from tauscope.execution.local_sweep import LocalSweep
from tauscope.results.folder import read_measurements, read_summary
from tauscope.results.verify import verify_folder
from tauscope.specs import SweepSpec, apply_settings, load_preset

SHARED = {1: 0.0, 2: 0.5, 4: 3.0, 8: 1.0, 16: 0.2}  # How strong the part is that both answers have.
METRIC = "twin_cosine@300"


def pair() -> SweepSpec:
    settings = {"n_train": [8], "steps": 24, "overrides": {}, "further": [{"n_train": 8, "subset": 1, "seed": 5}]}
    return apply_settings(load_preset("digits-ci").sweep, settings)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What two twins leave, the second of which has not come as far."""
    sweep = LocalSweep(pair(), tmp_path / "out")
    for place, run in enumerate(sweep.runs):
        np.savez(run.folder / "train.npz", images=np.ones((8, 1, 8, 8), np.float32))
        (run.folder / "predictions").mkdir()
        for step, strength in list(SHARED.items())[: 5 - place]:
            shared = np.random.default_rng(step).normal(size=(128, 1, 8, 8))
            own = np.random.default_rng([step, place]).normal(size=shared.shape)
            np.savez(run.folder / "predictions" / f"{step}.npz", predictions=(strength * shared + own).astype(np.float32))
        run.save()
    sweep.finish()
    return tmp_path / "out"


def test_both_twins_have_the_agreement_up_to_where_both_have_come(folder: Path) -> None:
    one, other = read_measurements(folder).values()
    assert [point.step for point in one if point.metric == METRIC] == [1, 2, 4, 8]
    assert one == other
    splits = [run.markers["tau_split"] for run in read_summary(folder).runs]
    assert splits[0] == splits[1]
    assert (splits[0].status, splits[0].value) == (OnsetStatus.REACHED, 4)


def test_a_sweep_that_is_taken_up_again_compares_once(folder: Path) -> None:
    before = (folder / "summary.json").read_text(), read_measurements(folder)
    LocalSweep(pair(), folder, resume=True).finish()
    assert ((folder / "summary.json").read_text(), read_measurements(folder)) == before


def test_the_folder_verifies_and_predictions_that_were_changed_are_found(folder: Path) -> None:
    assert verify_folder(folder).findings == ()
    changed = next((folder / "runs").glob("00-*/predictions/4.npz"))
    np.savez(changed, predictions=np.random.default_rng(0).normal(size=(128, 1, 8, 8)))
    found = verify_folder(folder).findings
    assert {finding.run[:2] for finding in found} == {"00", "01"}
    assert all(f"{METRIC} at step 4 is recorded as 0.9" in finding.what for finding in found)
