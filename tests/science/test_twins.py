"""Real networks on disjoint digits come together, agree most, and part before they copy. A minute on one free core: `make test-slow`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.summary import ExperimentSummary
from tauscope.results.folder import read_measurements
from tauscope.results.verify import verify_folder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SETTINGS = ("overrides={}", "n_train=[16]", "steps=450", "measurement.n_generated=128", "further=[{n_train: 16, subset: 1, seed: 5}]")


def test_twins_on_digits_agree_most_before_either_copies(tmp_path: Path) -> None:
    options = [option for setting in SETTINGS for option in ("--set", setting)]
    command = [sys.executable, "-m", "tauscope", "run", "digits-demo", *options, "--json", "--out", str(tmp_path / "out")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    runs = ExperimentSummary.model_validate(json.loads(done.stdout)).runs
    assert len(runs) == 2 and runs[0].markers["tau_split"] == runs[1].markers["tau_split"]
    split = runs[0].markers["tau_split"]
    assert split.status is OnsetStatus.REACHED and split.high is not None
    copying = [run.onsets["tau_mem"] for run in runs]
    assert all(onset.low is not None and split.high < onset.low for onset in copying)
    agreement = sorted(
        (point for point in read_measurements(tmp_path / "out")[runs[0].id] if point.metric == split.metric), key=lambda p: p.step
    )
    assert agreement[0].high is not None and agreement[-1].high is not None
    assert max(agreement[0].high, agreement[-1].high) < split.level - 0.1, "they come together, and part"
    assert 0.85 < split.level < 0.93, "measured 0.889: docs/results.md"
    assert verify_folder(tmp_path / "out").findings == ()
