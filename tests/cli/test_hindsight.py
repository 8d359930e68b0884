"""The command that judges a policy on runs that went on, on a results folder."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tauscope.analysis.summary import summarize_experiment
from tauscope.cli.app import app
from tauscope.cli.errors import report_errors
from tauscope.results.folder import run_name, spec_document, write_measurements, write_spec, write_summary
from tauscope.specs import load_preset
from tests.analysis.test_stopping import COPIES, OVERFITS, WIDENS, recorded


@pytest.fixture
def folder(tmp_path: Path) -> str:
    sweep = load_preset("digits-demo").sweep
    runs = sweep.resolve()
    write_spec(tmp_path, spec_document(sweep, runs, "0"))
    points = [(run_name(run.index, run.label), point) for run in runs for point in recorded(COPIES, OVERFITS, WIDENS)]
    write_measurements(tmp_path, points)
    write_summary(tmp_path, summarize_experiment("digits-demo", "0", ()))
    return str(tmp_path)


def said(*arguments: str) -> str:
    result = CliRunner(env={"COLUMNS": "240"}).invoke(app, ["hindsight", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_every_run_is_judged_and_counted(folder: str) -> None:
    text = said(folder)
    assert "3 of 3 runs stopped" in text
    assert "Not after the lower end of tau_mem: 3 of 3 (29 to 100 % at 95 %)." in text
    assert "n_train=16" in text and "of 384" in text


def test_a_policy_that_stops_nothing_says_so(folder: str) -> None:
    assert "0 of 3 runs stopped." in said(folder, "--stopping", "{name: budget}")


def test_json_is_the_contract(folder: str) -> None:
    found = json.loads(said(folder, "--json", "--stopping", "{name: copying, level: 0.05}"))
    assert found["policy"] == {"name": "copying", "level": 0.05, "confirmations": 2}
    assert [run["label"] for run in found["runs"]] == ["n_train=16", "n_train=32", "n_train=64"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--stopping", "{name: window, patience: 0}"], "--stopping.patience"),
        (["--stopping", "{name: soon}"], "--stopping"),
        (["--stopping", "{name: "], "is not valid YAML"),
    ],
)
def test_a_policy_that_is_none_is_refused_at_its_field(
    folder: str, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit), report_errors():
        app(["hindsight", folder, *arguments], standalone_mode=False)
    assert words in capsys.readouterr().err


def test_a_folder_without_results_is_told_with_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), report_errors():
        app(["hindsight", str(tmp_path)], standalone_mode=False)
    assert "Name a folder that `run --out` or `export` left" in capsys.readouterr().err
