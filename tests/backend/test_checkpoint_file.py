"""A checkpoint over HTTP as one file, named after its run; or why there is none, with the remedy."""

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from backend.services.checkpoint_file import checkpoint_file
from backend.services.context import Context
from backend.storage.artifacts import ArtifactCorruptError
from backend.storage.files import checkpoint_files
from backend.storage.retention import drop_checkpoints
from tests.backend.conftest import API, FakeWorker, TestClient
from tests.backend.test_retention import STEPS, train


def stored(context: Context, run_id: str, step: int) -> list[bytes]:
    """The bytes of weights and state as the worker left them."""
    with context.sessions() as session:
        found = checkpoint_files(session, run_id, step)
    assert found is not None
    return [context.artifacts.read(sha256) for _, sha256 in (found.weights, found.state)]


def test_a_checkpoint_comes_as_a_zip_file_of_both_its_files_under_a_name_that_says_what_it_is(
    client: TestClient, context: Context, worker: FakeWorker, experiment: dict[str, Any]
) -> None:
    claim = train(worker)
    answer = client.get(f"{API}/runs/{claim.run_id}/checkpoints/30.zip")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/zip"
    stem = answer.headers["content-disposition"].split('"')[1].removesuffix(".zip")
    n, seed = claim.spec["dataset"]["n_train"], claim.spec["seed"]
    assert stem.startswith(f"digits-ci-{claim.run_id}-n{n}-seed{seed}-step30-")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as members:
        assert members.namelist() == [f"{stem}.safetensors", f"{stem}.json"]
        assert [members.read(name) for name in members.namelist()] == stored(context, claim.run_id, 30)


def test_one_that_was_pruned_is_refused_with_those_that_are_left(
    client: TestClient, worker: FakeWorker, experiment: dict[str, Any]
) -> None:
    claim = train(worker)
    with worker.sessions.begin() as session:
        drop_checkpoints(session, claim.run_id, [30])
    problem = client.get(f"{API}/runs/{claim.run_id}/checkpoints/30.zip")
    assert (problem.status_code, problem.json()["code"]) == (409, "checkpoint_dropped")
    assert "10, 20, 40, 50, 60" in problem.json()["remedy"]


def test_a_step_without_a_checkpoint_and_a_run_that_is_not_there_are_not_found(
    client: TestClient, worker: FakeWorker, experiment: dict[str, Any]
) -> None:
    claim = train(worker)
    problem = client.get(f"{API}/runs/{claim.run_id}/checkpoints/31.zip")
    assert (problem.status_code, problem.json()["code"]) == (404, "checkpoint_not_found")
    assert problem.json()["remedy"].endswith(", ".join(map(str, STEPS)))
    assert client.get(f"{API}/runs/nobody/checkpoints/30.zip").json()["code"] == "run_not_found"


def test_a_zip_file_that_could_not_be_finished_is_not_left_behind(
    context: Context, worker: FakeWorker, experiment: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = train(worker)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))

    def gone(sha256: str, _target: Path) -> None:
        raise ArtifactCorruptError(sha256, "is gone")

    with monkeypatch.context() as broken:
        broken.setattr(context.artifacts, "fetch", gone)
        with pytest.raises(ArtifactCorruptError):
            checkpoint_file(context, claim.run_id, 30)
    assert list((tmp_path / "temporary").iterdir()) == []
    whole = checkpoint_file(context, claim.run_id, 30).path
    assert list((tmp_path / "temporary").iterdir()) == [whole]
