"""The command that compares two sweeps, on results folders."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tauscope.analysis.summary import summarize_experiment
from tauscope.cli.app import app
from tauscope.cli.errors import report_errors
from tauscope.results.folder import write_summary
from tests.analysis.test_comparison import sweep


def folder(path: Path, exponent: float, *, seeds: int = 3) -> str:
    path.mkdir()
    write_summary(path, summarize_experiment(path.name, "0", sweep(exponent, seeds=seeds)))
    return str(path)


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["compare-laws", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_two_folders_are_compared_with_interval_and_p_value(tmp_path: Path) -> None:
    text = said(folder(tmp_path / "adam", 1.0), folder(tmp_path / "sgd", 1.4))
    assert "tau_mem ~ n^a: " in text
    assert "difference +0.4" in text and "p < 0.001" in text and "12 onsets, 0 censored" in text


def test_one_seed_is_told_and_gives_no_p_value(tmp_path: Path) -> None:
    text = said(folder(tmp_path / "adam", 1.0, seeds=1), folder(tmp_path / "sgd", 1.4))
    assert "run-to-run spread not included in the first sweep" in text
    assert " p " not in text


def test_json_is_the_contract(tmp_path: Path) -> None:
    found = json.loads(said(folder(tmp_path / "adam", 1.0), folder(tmp_path / "sgd", 1.4), "--json"))
    assert set(found["exponents"]) == {"tau_gen_vs_n", "tau_mem_vs_n"}


def test_a_folder_without_a_summary_is_told_with_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), report_errors():
        app(["compare-laws", str(tmp_path), str(tmp_path)], standalone_mode=False)
    assert "holds no summary.json" in capsys.readouterr().err


def test_a_path_that_leads_nowhere_is_not_asked_of_the_service(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), report_errors():
        app(["compare-laws", str(tmp_path / "nowhere"), str(tmp_path)], standalone_mode=False)
    assert "is no folder, and no experiment's id" in capsys.readouterr().err
