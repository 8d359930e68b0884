"""What nothing refers to is removed, and nothing that a run refers to or is about to, at whatever moment it is stored."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.storage import sightings as sightings_module
from backend.storage.artifacts import ArtifactStore, StoredFile
from backend.storage.claims import claim_next
from backend.storage.database import db_now
from backend.storage.flush import FileRecord, flush
from backend.storage.garbage import NOTHING, Garbage, collect, discard
from backend.storage.sightings import Sightings
from backend.storage.store_marker import NAME, StoreMissingError
from backend.storage.tables import Artifact, Base, CheckpointPin, Evaluation, RunFile
from tests.worker.conftest import AddRun
from tests.worker.test_artifacts import make_old


@pytest.fixture(params=["folder", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "store") if request.param == "folder" else f"memory://{tmp_path.parent.name}{tmp_path.name}"


@pytest.fixture
def store(url: str) -> ArtifactStore:
    return ArtifactStore(url)


@pytest.fixture
def put(store: ArtifactStore, tmp_path: Path) -> Callable[..., StoredFile]:
    """Store a text, old by default."""

    def put(text: str, *, old: bool = True) -> StoredFile:
        file = tmp_path / "file"
        file.write_text(text)
        found = store.find(store.put(file)[0])
        assert found is not None
        if old:
            make_old(store, found.path)
        return found

    return put


@pytest.fixture
def refer(sessions: sessionmaker[Session], add_run: AddRun) -> Callable[..., None]:
    """Let a run that computes refer to a file, by a flush as a worker makes it."""
    add_run()
    with sessions.begin() as session:
        claim = claim_next(session, "one", 60)
    assert claim is not None

    def refer(file: StoredFile, path: str = "checkpoints/1.json") -> None:
        with sessions.begin() as session:
            flush(session, claim, files=[FileRecord(path, file.name, file.n_bytes, "state", 1)])

    return refer


@pytest.mark.parametrize("claimant", [CheckpointPin(run_id="run-1", step=1), Evaluation(run_id="run-1", step=1, code_version="v")])
def test_a_flush_keeps_an_old_checkpoint_that_is_pinned_or_still_to_be_measured(
    claimant: Base, sessions: sessionmaker[Session], add_run: AddRun
) -> None:
    add_run()
    with sessions.begin() as session:
        claim = claim_next(session, "one", 60)
        assert claim is not None
        session.merge(claimant)
        for step in (1, 2, 3, 4):
            files = [FileRecord(f"checkpoints/{step}.{kind}", f"{kind}-{step}", 10, kind, step) for kind in ("weights", "state")]
            flush(session, claim, files=files, checkpoint=step)
        assert set(session.scalars(select(RunFile.step))) == {1, 3, 4}


def lose_references(sessions: sessionmaker[Session], *, old: bool = True) -> None:
    with sessions.begin() as session:
        session.query(RunFile).delete()
        if old:
            session.execute(update(Artifact).values(created_at=db_now() - 7200))


def test_an_old_file_that_no_row_knows_is_collected(sessions: sessionmaker[Session], store: ArtifactStore, put: Any) -> None:
    file = put("orphan")
    assert collect(sessions, store, dry_run=True) == Garbage(rows=0, files=1, n_bytes=6)
    assert store.exists(file.name)
    collect(sessions, store)
    assert not store.exists(file.name)
    if not store.keeps_dates:
        # Where a move renews the date, the last look comes a grace later.
        make_old(store, store.set_aside(file).path)
        collect(sessions, store)
    assert list(store.files()) == []


def test_a_young_file_is_left_to_the_flush_that_will_refer_to_it(sessions: sessionmaker[Session], store: ArtifactStore, put: Any) -> None:
    file = put("new", old=False)
    assert collect(sessions, store) == NOTHING
    assert store.exists(file.name)


def test_a_hosts_clock_that_is_ahead_makes_no_file_old(
    sessions: sessionmaker[Session], store: ArtifactStore, put: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("new", old=False)
    # Both stores date what is written by a clock of their own.
    monkeypatch.setattr(time, "time", lambda ahead=time.time() + 7200: ahead)
    assert collect(sessions, store) == NOTHING


@pytest.mark.parametrize("again", [True, False])
def test_a_file_goes_once_it_was_seen_unreferenced_for_one_grace_with_the_same_date(
    again: bool, sessions: sessionmaker[Session], store: ArtifactStore, put: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, sightings, clock = put("orphan"), Sightings(), [0.0]
    monkeypatch.setattr(sightings_module.time, "monotonic", lambda: clock[0])
    for clock[0] in (0.0, 3000.0):
        assert collect(sessions, store, sightings=sightings) == NOTHING
    if again:
        make_old(store, file.path, 7300)
    clock[0] = 3700.0
    collect(sessions, store, sightings=sightings)
    assert store.exists(file.name) is again


def test_what_a_run_refers_to_is_never_collected(sessions: sessionmaker[Session], store: ArtifactStore, put: Any, refer: Any) -> None:
    file = put("kept")
    refer(file)
    assert collect(sessions, store) == NOTHING
    assert store.read(file.name) == b"kept"


def test_a_row_without_a_reference_goes_once_it_is_old(sessions: sessionmaker[Session], store: ArtifactStore, put: Any, refer: Any) -> None:
    refer(put("replaced"))
    lose_references(sessions, old=False)
    assert collect(sessions, store).rows == 0
    lose_references(sessions)
    assert collect(sessions, store).rows == 1
    with sessions() as session:
        assert session.scalars(select(Artifact)).all() == []


def test_a_write_that_broke_off_is_cleared_away_when_it_is_old(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path / "store"))
    left = tmp_path / "store" / "incoming" / "0123456789abcdef"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    assert collect(sessions, store) == NOTHING and left.exists()
    make_old(store, str(left))
    assert collect(sessions, store) == Garbage(rows=0, files=1, n_bytes=4)
    assert not left.exists()


def test_what_others_put_into_the_folder_is_left_alone(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    foreign = tmp_path / "store" / "notes.txt"
    foreign.parent.mkdir()
    foreign.write_text("mine")
    make_old(ArtifactStore(str(foreign.parent)), str(foreign))
    assert collect(sessions, ArtifactStore(str(foreign.parent))) == NOTHING
    assert foreign.exists()


class Interrupted(ArtifactStore):
    """Lets something happen just before, or just after, a file is set aside."""

    before: Callable[[], object] = staticmethod(lambda: None)
    after: Callable[[], object] = staticmethod(lambda: None)

    def set_aside(self, file: StoredFile) -> StoredFile:
        self.before()
        aside = super().set_aside(file)
        self.after()
        return aside


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("flushed", [True, False])
def test_bytes_that_are_stored_again_while_they_are_collected_stay(
    moment: str, flushed: bool, url: str, sessions: sessionmaker[Session], put: Any, refer: Any
) -> None:
    file = put("the same bytes")
    store = Interrupted(url)

    def store_again() -> None:
        refer(put("the same bytes", old=False)) if flushed else put("the same bytes", old=False)

    setattr(store, moment, store_again)
    collect(sessions, store)
    if not flushed:
        refer(file)
    assert store.read(file.name) == b"the same bytes"
    for other in list(store.files()):
        make_old(store, other.path)
    collect(sessions, ArtifactStore(url))
    assert store.read(file.name) == b"the same bytes" and store.exists(file.name)


def test_what_a_killed_collector_left_aside_is_put_back_if_it_is_wanted(
    sessions: sessionmaker[Session], store: ArtifactStore, put: Any, refer: Any
) -> None:
    file = put("wanted")
    refer(file)
    store.set_aside(file)
    assert store.read(file.name) == b"wanted"
    collect(sessions, store)
    assert store.exists(file.name)


def test_discarding_frees_at_once_while_nobody_computes(sessions: sessionmaker[Session], put: Any, tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path / "folder"))
    path = tmp_path / "young"
    path.write_text("young")
    sha256, _ = store.put(path)
    discard(sessions, store, [sha256, "0" * 64])
    assert list(store.files()) == []


def test_discarding_waits_for_the_grace_while_a_run_computes_or_an_evaluation_is_pending(
    sessions: sessionmaker[Session], add_run: AddRun, tmp_path: Path
) -> None:
    store = ArtifactStore(str(tmp_path / "folder"))
    path = tmp_path / "young"
    path.write_text("young")
    sha256, _ = store.put(path)
    add_run()
    with sessions.begin() as session:
        session.add(Evaluation(run_id="run-1", step=3, code_version="v"))
    discard(sessions, store, [sha256])
    assert store.exists(sha256)
    with sessions.begin() as session:
        session.query(Evaluation).delete()
        assert claim_next(session, "one", 60) is not None
    discard(sessions, store, [sha256])
    assert store.exists(sha256)


def test_discarding_keeps_what_a_new_claim_has_stored_again(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    store = Interrupted(str(tmp_path / "folder"))
    path = tmp_path / "file"
    path.write_text("same")
    sha256, _ = store.put(path)
    found = store.find(sha256)
    assert found is not None
    make_old(store, found.path, 60)
    store.before = lambda: store.put(path)
    discard(sessions, store, [sha256])
    assert store.exists(sha256)


def test_a_store_that_is_not_there_yet_has_no_garbage(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "store", ignore_errors=True)
    assert collect(sessions, ArtifactStore(str(tmp_path / "store"))) == NOTHING


def test_nothing_is_collected_where_runs_have_files_and_there_is_no_store(
    sessions: sessionmaker[Session], put: Any, refer: Any, url: str, tmp_path: Path
) -> None:
    refer(put("wanted"))
    with pytest.raises(StoreMissingError, match="not mounted"):
        collect(sessions, ArtifactStore(f"{url}-mistyped"))


def test_the_marker_of_the_store_is_never_collected(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path / "store"))
    (tmp_path / "file").write_text("orphan")
    found = store.find(store.put(tmp_path / "file")[0])
    assert found is not None
    for path in (found.path, f"{tmp_path}/store/{NAME}"):
        make_old(store, path)
    assert collect(sessions, store).files == 1
    assert [path.name for path in (tmp_path / "store").rglob("*") if path.is_file()] == [NAME]
