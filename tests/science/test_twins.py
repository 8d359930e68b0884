"""Real networks on disjoint digits agree most after they are good and before they copy. A minute on one free core: `make test-slow`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.summary import ExperimentSummary
from tauscope.results.verify import verify_folder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SETTINGS = ("overrides={}", "n_train=[16]", "steps=450", "measurement.n_generated=128", "further=[{n_train: 16, subset: 1, seed: 5}]")


def test_twins_on_digits_agree_most_between_quality_and_copying(tmp_path: Path) -> None:
    options = [option for setting in SETTINGS for option in ("--set", setting)]
    command = [sys.executable, "-m", "tauscope", "run", "digits-demo", *options, "--json", "--out", str(tmp_path / "out")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    runs = ExperimentSummary.model_validate(json.loads(done.stdout)).runs
    assert len(runs) == 2 and runs[0].markers["tau_split"] == runs[1].markers["tau_split"]
    split = runs[0].markers["tau_split"]
    assert split.status is OnsetStatus.REACHED and split.value is not None and split.high is not None
    for run in runs:
        gen, mem = run.onsets["tau_gen"], run.onsets["tau_mem"]
        assert gen.value is not None and mem.low is not None
        assert gen.value < split.value and split.high < mem.low
    assert 0.85 < split.level < 0.93, "measured 0.889: docs/results.md"
    assert verify_folder(tmp_path / "out").findings == ()
