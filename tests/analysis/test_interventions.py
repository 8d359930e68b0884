"""Settings side by side: one training time for all, a mean over three seeds, each by itself below, and no number that nobody measured."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from tauscope.analysis.interventions import interventions
from tauscope.analysis.phase_states import MeasuredRun
from tauscope.analysis.summary import summarize_experiment
from tauscope.cli.app import app
from tauscope.cli.errors import report_errors
from tauscope.contracts.onsets import OnsetStatus
from tauscope.results.folder import run_name, spec_document, write_measurements, write_spec, write_summary
from tauscope.results.interventions import settings_in_folder
from tauscope.results.phase import runs_in_folder
from tauscope.results.remeasured import Remeasured, write_remeasured
from tauscope.specs import load_preset
from tests.phase_runs import Truth, measured

DECAY = {"optimizer.weight_decay": 0.5}


def run(seed: int, *, params: dict[str, Any] | None = None, **truth: Any) -> MeasuredRun:
    return measured(Truth(n=64, seed=seed, params=params or {}, **truth), np.random.default_rng(seed))


PLAIN = [run(seed, tau_mem=300.0) for seed in (1, 2, 3)]
DECAYED = [run(seed, tau_mem=900.0, params=DECAY) for seed in (1, 2, 3)]


def test_each_setting_is_a_row_with_its_onsets_and_all_are_compared_at_one_time() -> None:
    found = interventions("sweep", [*PLAIN, *DECAYED])
    plain, decayed = found.settings
    assert (plain.setting, decayed.setting) == ("Base width W 8 channels", "Base width W 8 channels; Weight decay 0.5")
    assert plain.seeds == decayed.seeds == (1, 2, 3)
    assert found.at == plain.f_mem.step == decayed.f_mem.step == 2000
    for row, truth in ((plain, 300.0), (decayed, 900.0)):
        # tau_mem's level is 25 % of a curve that passes it there; three seeds at checkpoints a factor 1.6 apart.
        (onset,) = row.tau_mem
        assert onset.low is not None and onset.high is not None and onset.low <= truth <= onset.high
        assert row.f_mem.low is not None and row.f_mem.high is not None
        assert row.f_mem.low <= 0.75 / (1 + 2 * (truth / 2000) ** 4) <= row.f_mem.high
        assert (row.f_mem.count, row.control.count) == (384, 1000)
        assert row.quality.metric == "loss_held_out@100"


def test_the_common_time_can_be_chosen_within_what_all_runs_have_measured() -> None:
    short = [run(seed, steps=400, tau_mem=300.0, params=DECAY) for seed in (1, 2, 3)]
    assert interventions("sweep", [*PLAIN, *short]).at == 400
    chosen = interventions("sweep", [*PLAIN, *DECAYED], at=500)
    plain, decayed = (row.f_mem.value for row in chosen.settings)
    assert plain is not None and decayed is not None and plain > 0.5 > 0.1 > decayed
    with pytest.raises(ValueError, match="is not measured by all runs"):
        interventions("sweep", [*PLAIN, *short], at=500)


def test_fewer_than_three_seeds_are_told_each_by_itself_and_an_onset_that_one_did_not_reach_has_no_mean() -> None:
    pair = interventions("sweep", DECAYED[:2])
    assert [row.seeds for row in pair.settings] == [(1,), (2,)]
    never = [*DECAYED[:2], run(3, tau_mem=None, params=DECAY)]
    (row,) = interventions("sweep", never).settings
    assert [onset.status for onset in row.tau_mem] == [OnsetStatus.REACHED, OnsetStatus.REACHED, OnsetStatus.CENSORED]
    assert len(row.tau_gen) == 1


def test_a_run_without_samples_is_named_as_what_is_missing() -> None:
    bare = MeasuredRun(PLAIN[0].summary, PLAIN[0].spec, [point for point in PLAIN[0].points if point.metric != "f_mem"])
    with pytest.raises(ValueError, match="has no f_mem yet"):
        interventions("sweep", [bare])


@pytest.fixture
def folder(tmp_path: Path) -> str:
    sweep = load_preset("digits-interventions").sweep
    runs = sweep.resolve()[:6]
    names = [run_name(item.index, item.label) for item in runs]
    given = dict(zip(names, [*PLAIN, *DECAYED], strict=True))
    summaries = [
        held.summary.model_copy(update={"id": name, "params": item.params}) for (name, held), item in zip(given.items(), runs, strict=True)
    ]
    write_spec(tmp_path, spec_document(sweep, runs, "0"))
    write_measurements(tmp_path, [(name, point) for name, held in given.items() for point in held.points])
    write_summary(tmp_path, summarize_experiment("digits-interventions", "0", summaries))
    return str(tmp_path)


def test_the_command_prints_a_row_for_each_setting_and_json_is_the_contract(folder: str) -> None:
    shell = CliRunner(env={"COLUMNS": "400"})
    told = shell.invoke(app, ["interventions", folder], catch_exceptions=False).stdout
    assert "as it is" in told and "First trained index 20" in told and "of 384" in told and "held-out loss at index" in told
    found = json.loads(shell.invoke(app, ["interventions", folder, "--at", "500", "--json"], catch_exceptions=False).stdout)
    assert (found["at"], len(found["settings"])) == (500, 2)


def test_a_time_that_is_not_measured_is_refused_at_its_option(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), report_errors():
        app(["interventions", folder, "--at", "9000"], standalone_mode=False)
    assert "--at: step 9,000 is not measured by all runs. Choose from" in capsys.readouterr().err


def test_a_sampler_that_measured_again_is_a_setting_with_the_runs_own_losses(folder: str) -> None:
    """Here as if no sample had copied; a set with other counts is another estimate, and no setting."""
    _, runs = runs_in_folder(Path(folder))
    sampler = {"name": "ddim", "steps": 20, "eta": 0.0, "guidance": 0.0, "projection": {"reference": "held_out", "most": 1.0}}
    sets = {"projected": {"sampler": sampler}, "more": {"n_generated": 512}}
    rows = [
        Remeasured(
            name, json.dumps(changes), "0", point.step, item.summary.id, point.model_copy(update={"value": 0.0, "low": 0.0, "high": 0.01})
        )
        for name, changes in sets.items()
        for item in runs[:3]
        for point in item.points
        if point.metric.startswith("f_mem")
    ]
    write_remeasured(Path(folder), rows)
    name, found = settings_in_folder(Path(folder))
    plain, _, projected = interventions(name, found).settings
    assert projected.setting == "projected (at sampling)"
    assert projected.tau_gen == plain.tau_gen and projected.quality == plain.quality
    assert projected.f_mem.value == 0.0
    assert {onset.status for onset in projected.tau_mem} == {OnsetStatus.CENSORED}
