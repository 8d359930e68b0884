"""Figures from the command line: of a results folder without a service, and of a service."""

import io
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tauscope.cli.app import app
from tauscope.client import ApiError, TauscopeClient
from tauscope.contracts.experiments import ExperimentCreate
from tauscope.figures.folder import read_folder
from tauscope.figures.render import render
from tauscope.specs import SpecError
from tests.backend.conftest import FakeWorker
from tests.client.conftest import LiveServer


@pytest.fixture
def experiment(api: TauscopeClient, worker: FakeWorker) -> str:
    """An experiment of one measured run."""
    created = api.launch(ExperimentCreate(preset="digits-ci", settings={"n_train": [8], "steps": 20}))
    claim = worker.claim()
    worker.store_train(claim)
    worker.store_samples(claim, 10)
    worker.measure(claim, 10)
    worker.finish(claim)
    return created.id


def tauscope(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def folder(server: LiveServer, experiment: str, tmp_path: Path) -> Path:
    """The same experiment as a results folder."""
    tauscope("export", experiment, "--out", str(tmp_path / "results"), "--url", server.url)
    return tmp_path / "results"


def test_the_command_takes_a_figure_from_a_service_in_the_form_of_the_file(server: LiveServer, experiment: str, tmp_path: Path) -> None:
    out = tmp_path / "mine.svg"
    assert str(out) in tauscope("figure", "3", experiment, "--out", str(out), "--width", "85", "--url", server.url)
    assert out.read_bytes().startswith(b"<?xml")


def test_the_command_draws_a_results_folder_without_a_service(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tauscope("figure", "2", str(folder), "--format", "pdf", "--url", "http://127.0.0.1:9")
    assert (tmp_path / "figure-2.pdf").read_bytes() == render(read_folder(folder), 2, "pdf")
    tauscope("figure", "2", str(folder), "--zip")
    assert len(zipfile.ZipFile(tmp_path / "figure-2.zip").namelist()) == 7


def test_a_folder_and_the_service_it_came_from_draw_the_same_numbers(api: TauscopeClient, experiment: str, folder: Path) -> None:
    of_service, of_folder = (_numbers(content) for content in (api.figure(experiment, 2, "zip"), render(read_folder(folder), 2, "zip")))
    # The service calls a run by its id, a folder by its place in the sweep.
    run = api.experiment(experiment).runs[0]
    assert of_service.replace(run.id, "00-n_train=8") == of_folder


def _numbers(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return next(archive.read(name).decode() for name in archive.namelist() if name.endswith(".csv"))


def test_bad_input_is_told_by_name(api: TauscopeClient, experiment: str, folder: Path, tmp_path: Path) -> None:
    for arguments, says in (
        (["figure", "4", str(folder)], "Choose 2 or 3"),
        (["figure", "2", str(folder), "--format", "jpeg"], "--format"),
        (["figure", "2", str(folder), "--width", "100"], "85 for one column"),
        (["figure", "2", str(folder), "--quality", "fid"], "frechet_pca"),
        (["figure", "2", str(tmp_path)], "spec.json is missing"),
    ):
        with pytest.raises(SpecError) as caught:
            CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert says in str(caught.value)
    with pytest.raises(ApiError, match="quality"):
        api.figure(experiment, 2, "svg", quality="fid")
