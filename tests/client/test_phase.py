"""The phase diagram by the client, in the terminal, and of the folder that an export leaves."""

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tauscope.cli.app import app
from tauscope.cli.errors import report_errors
from tauscope.client import TauscopeClient
from tauscope.contracts.experiments import ExperimentCreate
from tauscope.contracts.phase import PhaseDiagram
from tests.backend.conftest import FakeWorker
from tests.backend.test_phase import compute
from tests.client.conftest import LiveServer


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["phase", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_service_and_exported_folder_tell_the_same(api: TauscopeClient, server: LiveServer, worker: FakeWorker, tmp_path: Path) -> None:
    launched = api.launch(ExperimentCreate(preset="digits-phase", settings={"n_train": [8, 64], "steps": 800}))
    compute(worker, 4)
    told = said(launched.id, "--url", server.url)
    assert "176,849 16 memorizes window" in " ".join(told.split())
    assert "n* at p = 44,969: not identified: no n clearly is a plateau; above n = 64, if anywhere" in told
    assert PhaseDiagram.model_validate_json(said(launched.id, "--url", server.url, "--json")) == api.phase(launched.id)
    api.export(launched.id, tmp_path / "export.zip")
    zipfile.ZipFile(tmp_path / "export.zip").extractall(tmp_path / "folder")
    folder = next((tmp_path / "folder").rglob("summary.json")).parent
    cells = json.loads(said(str(folder), "--json"))["cells"]
    assert [(cell["n"], cell["parameters"], cell["reason"]) for cell in cells] == [
        (cell.n, cell.parameters, cell.reason) for cell in api.phase(launched.id).cells
    ]
    assert len(list(csv.DictReader(io.StringIO(said(str(folder), "--csv"))))) == 4


def test_a_folder_without_its_files_is_told_with_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), report_errors():
        app(["phase", str(tmp_path)], standalone_mode=False)
    assert "Use a folder that `run --out` or `export` left" in capsys.readouterr().err
