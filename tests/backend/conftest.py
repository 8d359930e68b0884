"""The service on a fresh database, and a stand-in for the worker that writes through the real claims and flushes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
from fastapi import FastAPI

from backend.app import bare_app, furnished
from backend.services.context import Context
from backend.settings import ApiSettings
from backend.storage.claims import Claim, claim_next, finish, release
from backend.storage.flush import FileRecord, Flushed, flush, write_summary
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import Point
from tauscope.contracts.runs import RunState
from tests.asgi import TestClient

__all__ = ["API", "FakeWorker", "TestClient"]

API = "/api/v1"


@pytest.fixture(scope="session", autouse=True)
def _plain_logs() -> None:
    """The pretty tracebacks with every local variable take seconds each."""
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> ApiSettings:
    """Settings with a broker that is nowhere: requests must not depend on it."""
    return ApiSettings(database_url=database_url, home=tmp_path / "home", broker_url="redis://127.0.0.1:1/0")


@pytest.fixture(scope="session")
def routes() -> FastAPI:
    """One app for all tests: to build its routes anew takes longer than most of them."""
    return bare_app()


@pytest.fixture
def client(routes: FastAPI, settings: ApiSettings) -> Iterator[TestClient]:
    """A client of the app on the test's own storage, under a name it knows."""
    with TestClient(furnished(routes, settings), base_url="http://127.0.0.1:8500", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def context(client: TestClient) -> Context:
    """The app's own storage."""
    found: Context = client.app.state.context  # type: ignore[attr-defined]
    return found


@pytest.fixture
def experiment(client: TestClient) -> dict[str, Any]:
    """A launched sweep of three runs."""
    response = client.post(f"{API}/experiments", json={"preset": "digits-ci"})
    assert response.status_code == 201, response.text
    document: dict[str, Any] = response.json()
    return document


class FakeWorker:
    """Computes nothing, but writes as a worker does."""

    def __init__(self, context: Context, folder: Path) -> None:
        self._context = context
        self._folder = folder
        self.sessions = context.sessions
        folder.mkdir(exist_ok=True)

    def claim(self, lease_seconds: float = 60.0) -> Claim:
        with self._context.sessions.begin() as session:
            claim = claim_next(session, "fake", lease_seconds)
        assert claim is not None
        return claim

    def flush(self, claim: Claim, **news: Any) -> Flushed:
        with self._context.sessions.begin() as session:
            return flush(session, claim, **news)

    def measure(self, claim: Claim, step: int, f_mem: float = 0.5, *, checkpoint: bool = False) -> Flushed:
        for kind in ("weights", "state") if checkpoint else ():
            self.store(claim, f"checkpoints/{step}.{kind}", kind, step, x=[step])
        points = [
            Point(step=step, metric="f_mem", value=f_mem, low=0.4, high=0.6, count=32),
            Point(step=step, metric="f_mem_control", value=0.0, low=0.0, high=0.004, count=1000),
            Point(step=step, metric="frechet_pca", value=None, reason="diverged"),
        ]
        return self.flush(claim, points=points, step=step, steps_per_second=9.0, seconds=1.0, checkpoint=step if checkpoint else None)

    def store(self, claim: Claim, path: str, kind: str, step: int | None = None, **arrays: Any) -> FileRecord:
        file = self._folder / "file.npz"
        np.savez(file, **arrays)
        sha256, n_bytes = self._context.artifacts.put(file)
        record = FileRecord(path, sha256, n_bytes, kind, step)
        self.flush(claim, files=[record])
        return record

    def store_samples(self, claim: Claim, step: int, n: int = 5) -> FileRecord:
        samples = np.linspace(0, 1, n * 64, dtype=np.float32).reshape(n, 1, 8, 8)
        distances = np.array([[0.1, 1.0]] + [[0.9, 1.0]] * (n - 1))
        neighbours = np.array([[0, 1]] * n)
        arrays = {"samples": samples, "distances": distances, "neighbours": neighbours}
        return self.store(claim, f"samples/{step}.npz", "samples", step, **arrays)

    def store_train(self, claim: Claim, n: int = 3) -> FileRecord:
        return self.store(claim, "train.npz", "train", images=np.ones((n, 1, 8, 8), np.float32))

    def damage(self, file: FileRecord) -> None:
        root = Path(self._context.settings.artifacts_url)
        (root / file.sha256[:2] / file.sha256[2:]).write_bytes(b"damaged")

    def release(self, claim: Claim) -> None:
        with self._context.sessions.begin() as session:
            release(session, claim, "segment ended")

    def finish(self, claim: Claim, tau_mem: float | None = None) -> None:
        if tau_mem is not None:
            onset = Onset(value=tau_mem, low=0.8 * tau_mem, high=1.25 * tau_mem, status=OnsetStatus.REACHED, metric="f_mem", level=0.25)
            with self._context.sessions.begin() as session:
                write_summary(session, claim.run_id, {"tau_mem": onset}, {"f_mem": 0.7})
        with self._context.sessions.begin() as session:
            finish(session, claim, RunState.FINISHED)


@pytest.fixture
def worker(context: Context, tmp_path: Path) -> FakeWorker:
    """A stand-in for the worker."""
    return FakeWorker(context, tmp_path / "work")
