"""`tauscope copied` for a run of a real server, and for the folder that its export leaves."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from backend.storage.claims import Claim
from tauscope.cli.app import app
from tauscope.cli.errors import report_errors
from tauscope.client import TauscopeClient
from tauscope.contracts.experiments import ExperimentCreate
from tests.backend.conftest import FakeWorker
from tests.backend.test_copied import TRAIN, store
from tests.client.conftest import LiveServer


@pytest.fixture
def claim(api: TauscopeClient, worker: FakeWorker) -> Claim:
    api.launch(ExperimentCreate(preset="digits-ci", settings={"n_train": [8]}))
    claim = worker.claim()
    worker.store(claim, "train.npz", "train", images=TRAIN)
    worker.store(claim, "held_out.npz", "held_out", images=np.float32(0.5) * TRAIN)
    for step, copied in {10: {}, 20: {0: 0, 3: 0, 5: 1}}.items():
        store(worker, claim, step, copied)
        worker.measure(claim, step, f_mem=len(copied) / 8)
    worker.release(claim)
    return claim


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["copied", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_run_is_told_with_intervals_chance_control_and_what_is_not_measured(server: LiveServer, claim: Claim) -> None:
    told = invoke(claim.run_id, "--url", server.url)
    assert "3 of 8 samples are copies at step 20, of 2 of 4 distinct training images" in told
    assert "0.60 copies each (0 to 2 at 95 %)" in told and "none: 4 distinct training images are too few" in told
    assert "held-out images would count as copies" in told and "20 (not at 10)" in told
    assert "Step 150 is not measured: training has not come this far" in told
    assert "0 of 8 samples are copies at step 10" in invoke(claim.run_id, "--step", "10", "--url", server.url)


def test_json_and_csv_of_a_run(server: LiveServer, claim: Claim, api: TauscopeClient) -> None:
    # The server's log goes to the same output.
    document = json.loads(invoke(claim.run_id, "--json", "--url", server.url).splitlines()[-1])
    assert document["runs"][0]["items"][0]["image"] == 0
    text = api.copied_csv(claim.run_id).decode()
    assert text in invoke(claim.run_id, "--csv", "--url", server.url).replace("\r\n", "\n")
    assert [row["image"] for row in csv.DictReader(io.StringIO(text))] == ["0", "1", "3", "4"]


def test_the_exported_folder_says_the_same_as_the_service(
    server: LiveServer, claim: Claim, api: TauscopeClient, worker: FakeWorker, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    exported = CliRunner().invoke(app, ["export", api.run(claim.run_id).experiment_id, "--out", str(folder), "--url", server.url])
    assert exported.exit_code == 0, exported.output
    served = api.copied(claim.run_id).model_dump(exclude={"run_id", "unmeasured"})
    found: dict[str, Any] = json.loads(invoke(str(folder), "--json"))["runs"][0]
    assert {name: found[name] for name in served} == json.loads(json.dumps(served))
    assert "too few" in invoke(str(folder))
    rows = list(csv.DictReader(io.StringIO(invoke(str(folder), "--csv", "--step", "10"))))
    assert {row["copies"] for row in rows} == {"0"} and {row["copies_at_20"] for row in rows} == {"2", "1", "0"}


@pytest.mark.parametrize(("make", "says"), [(False, "spec.json is missing"), (True, "Steps with samples: none")])
def test_a_folder_without_what_is_asked_for_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: bool, says: str
) -> None:
    from tauscope.results.folder import write_measurements, write_spec

    if make:
        write_spec(tmp_path, {"runs": []})
        write_measurements(tmp_path, [])
    with pytest.raises(SystemExit) as left, report_errors():
        app(["copied", str(tmp_path)], standalone_mode=False)
    assert left.value.code == 2
    assert says in " ".join(capsys.readouterr().err.split())
