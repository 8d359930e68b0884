"""Twins are compared as their predictions arrive, whoever comes first and whatever is lost meanwhile; on both databases."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.artifacts import ArtifactStore
from backend.storage.claims import claim_next
from backend.storage.flush import FileRecord, read_points, record_files
from backend.storage.tables import Run
from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.points import Point
from tauscope.specs import ImageDdpmSpec
from tauscope.specs.twins import twin_spec
from tests.worker.conftest import AddRun
from worker.comparing import Comparer, compare_twins
from worker.settings import WorkerSettings

Sessions = sessionmaker[Session]
Predict = Callable[..., str]
SPEC = ImageDdpmSpec()
METRIC = f"twin_cosine@{SPEC.comparison_index}"
AGREEMENT = {1: 0.0, 2: 0.5, 4: 3.0, 8: 1.0, 16: 0.2}  # How strong the part is that both share.


def predictions(run_id: str, step: int) -> np.ndarray:
    """Answers of a run: a part that both twins share, and one of its own."""
    shared = np.random.default_rng(step).normal(size=(128, 1, 8, 8))
    own = np.random.default_rng([step, len(run_id)]).normal(size=shared.shape)
    found: np.ndarray = (AGREEMENT[step] * shared + own).astype(np.float32)
    return found


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(WorkerSettings(home=tmp_path).artifacts_url)


@pytest.fixture
def twins(add_run: AddRun, sessions: Sessions) -> tuple[str, str]:
    """Two runs that know each other, and one of the same name pattern that knows nobody."""
    for run_id, spec in (("run", SPEC), ("twin-run", twin_spec(SPEC)), ("loner", SPEC)):
        add_run(run_id, spec=spec.model_dump(mode="json"))
    with sessions.begin() as session:
        for run_id, twin_id in (("run", "twin-run"), ("twin-run", "run")):
            session.execute(update(Run).where(Run.id == run_id).values(twin_id=twin_id))
    return "run", "twin-run"


@pytest.fixture
def predict(sessions: Sessions, store: ArtifactStore, tmp_path: Path) -> Predict:
    """Store predictions of a run as a flush does."""

    def write(run_id: str, *steps: int) -> str:
        for step in steps:
            file = tmp_path / "predictions.npz"
            np.savez(file, predictions=predictions(run_id, step))
            sha256, n_bytes = store.put(file)
            with sessions.begin() as session:
                record_files(session, run_id, [FileRecord(f"predictions/{step}.npz", sha256, n_bytes, "predictions", step)])
        return sha256

    return write


def compared(sessions: Sessions, run_id: str) -> dict[int, Point]:
    with sessions() as session:
        return {point.step: point for point in read_points(session, run_id) if point.metric == METRIC}


def run_of(sessions: Sessions, run_id: str) -> Run:
    with sessions() as session:
        return session.get_one(Run, run_id)


def test_both_twins_get_the_same_points_and_tau_split_at_every_common_step(
    sessions: Sessions, store: ArtifactStore, twins: tuple[str, str], predict: Predict
) -> None:
    one, other = twins
    predict(one, 1, 2, 4, 8, 16)
    predict("loner", 1, 2, 4)
    assert compare_twins(sessions, store) == 0
    predict(other, 2, 4, 8)
    assert compare_twins(sessions, store) == 6
    assert list(compared(sessions, one)) == [2, 4, 8]
    assert compared(sessions, one) == compared(sessions, other)
    assert compared(sessions, one)[4].value == pytest.approx(0.9, abs=0.01), "9 / (9 + 1) of the variance is shared; 64 pixels, 128 points"
    for run_id in twins:
        found = run_of(sessions, run_id)
        split = found.markers["tau_split"]
        assert (split["status"], split["value"], split["low"], split["high"]) == (OnsetStatus.REACHED, 4, 2, 8)
        assert found.seq == 1, "open pages hear of it"
    assert compared(sessions, "loner") == {}


def test_what_was_compared_is_not_compared_again_and_what_is_new_is_added(
    sessions: Sessions, store: ArtifactStore, twins: tuple[str, str], predict: Predict
) -> None:
    for run_id in twins:
        predict(run_id, 1, 2)
    assert [compare_twins(sessions, store) for _ in range(2)] == [4, 0]
    before = compared(sessions, "run")
    for run_id in twins:
        predict(run_id, 4)
    assert compare_twins(sessions, store) == 2
    assert {step: point for step, point in compared(sessions, "run").items() if step < 4} == before
    assert run_of(sessions, "run").markers["tau_split"]["status"] == OnsetStatus.CENSORED


def test_a_twin_that_was_rewound_and_comes_again_gives_the_same_points(
    sessions: Sessions, store: ArtifactStore, twins: tuple[str, str], predict: Predict
) -> None:
    for run_id in twins:
        predict(run_id, 1, 2, 4)
    compare_twins(sessions, store)
    before = compared(sessions, "twin-run")
    with sessions.begin() as session:
        session.execute(update(Run).where(Run.id == "twin-run").values(priority=1))
        claim = claim_next(session, "worker", 15)  # It has no checkpoint, and begins anew.
    assert claim is not None and claim.run_id == "twin-run"
    assert compare_twins(sessions, store) == 0
    assert compared(sessions, "twin-run") == {}
    predict("twin-run", 1, 2, 4)
    assert compare_twins(sessions, store) == 3
    assert compared(sessions, "twin-run") == before == compared(sessions, "run")


def test_damaged_predictions_are_a_missing_point_with_its_reason_and_are_read_once(
    sessions: Sessions, store: ArtifactStore, twins: tuple[str, str], predict: Predict, tmp_path: Path
) -> None:
    predict("run", 1, 2)
    predict("twin-run", 1)
    sha256 = predict("twin-run", 2)
    found = store.find(sha256)
    assert found is not None
    Path(found.path).write_bytes(b"damaged")
    assert [compare_twins(sessions, store) for _ in range(2)] == [4, 0]
    points = compared(sessions, "run")
    assert points[1].value is not None and points[2].value is None
    assert "damaged" in (points[2].reason or "")


@pytest.mark.parametrize("content", [b"no archive", b"PK\x05\x06" + bytes(18)], ids=["no archive", "an empty archive"])
def test_a_file_that_holds_no_predictions_does_not_keep_others_from_being_compared(
    sessions: Sessions, store: ArtifactStore, twins: tuple[str, str], predict: Predict, tmp_path: Path, content: bytes
) -> None:
    predict("run", 1, 2)
    predict("twin-run", 2)
    (tmp_path / "file").write_bytes(content)
    sha256, n_bytes = store.put(tmp_path / "file")
    with sessions.begin() as session:
        record_files(session, "twin-run", [FileRecord("predictions/1.npz", sha256, n_bytes, "predictions", 1)])
    assert compare_twins(sessions, store) == 4
    points = compared(sessions, "run")
    assert points[1].reason and points[1].value is None and points[2].value is not None


def test_the_reconciler_compares_without_waiting_for_it(
    sessions: Sessions, store: ArtifactStore, twins: tuple[str, str], predict: Predict, tmp_path: Path
) -> None:
    for run_id in twins:
        predict(run_id, 4)
    comparer = Comparer(sessions, WorkerSettings(home=tmp_path, reconcile_seconds=0.05))
    deadline = time.monotonic() + 60
    while not compared(sessions, "run"):
        comparer.start_if_due()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert compared(sessions, "twin-run").keys() == {4}
