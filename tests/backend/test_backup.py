"""A backup holds everything, restores into either kind of database, and says what it lacks; nothing else is believed."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update

from backend.services.context import Context
from backend.storage.artifacts import ArtifactStore
from backend.storage.backup import main as backup_main
from backend.storage.backup import save
from backend.storage.backup_file import BackupError
from backend.storage.claims import FencedError, claim_next, release
from backend.storage.database import open_database, session_factory
from backend.storage.migrate import is_current, make_folder, upgrade
from backend.storage.restore import EPOCH_GAP, restore
from backend.storage.restore import main as restore_main
from backend.storage.tables import Base, Evaluation, Run, RunEvent, RunFile, Series, Worker
from tests.backend.conftest import FakeWorker
from tests.backend.test_retention import train


class Place:
    """Where a backup goes: an empty database of the other kind, and an empty store."""

    def __init__(self, url: str, folder: Path) -> None:
        make_folder(url)
        folder.mkdir(exist_ok=True)
        self.engine: Engine = open_database(url)
        self.store = ArtifactStore(str(folder / "artifacts"))
        self._folder = folder

    def restore(self, source: Path) -> tuple[str, ...]:
        return restore(self.engine, self.store, source, self._folder)


@pytest.fixture
def place(other_database_url: str, tmp_path: Path) -> Iterator[Place]:
    place = Place(other_database_url, tmp_path / "other")
    yield place
    place.engine.dispose()


@pytest.fixture
def filled(context: Context, worker: FakeWorker, experiment: dict[str, Any]) -> Context:
    """One run is finished, one computes, one waits; a worker is listed."""
    done = train(worker)
    computing = worker.claim()
    worker.measure(computing, 10, checkpoint=True)
    with context.sessions.begin() as session:
        session.add(Worker(name="laptop-1", device="cpu", slots=1))
        session.get_one(Run, done.run_id).reason = "an “odd” reason\nin two lines"
    return context


def content(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table but the workers'."""
    tables = {table.name: table for table in Base.metadata.sorted_tables if table.name != "worker"}
    with engine.connect().execution_options(read_only=True) as connection:
        return {
            name: [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]
            for name, table in tables.items()
        }


def test_every_row_and_file_comes_back_in_the_other_kind_of_database(filled: Context, place: Place, tmp_path: Path) -> None:
    manifest = save(filled.engine, filled.artifacts, tmp_path / "backup.tar")
    before = content(filled.engine)
    assert manifest.missing == () and manifest.tables["run"].rows == 3
    assert place.restore(tmp_path / "backup.tar") == ()
    assert is_current(place.engine)
    after = content(place.engine)
    for name in before.keys() - {"run", "run_event"}:
        assert after[name] == before[name], name
    changed = {"state", "worker", "lease_until", "enqueued_at", "steps_per_second", "epoch"}
    for one, other in zip(before["run"], after["run"], strict=True):
        assert {key for key in one if one[key] != other[key]} <= changed
    assert [event for event in after["run_event"] if event["name"] != "restored"] == before["run_event"]
    for row in before["run_file"]:
        assert place.store.read(row["sha256"]) == filled.artifacts.read(row["sha256"])
    assert [path.name for path in tmp_path.iterdir() if "backup" in path.name] == ["backup.tar"]


def test_restored_runs_are_free_to_be_claimed_and_go_on_from_their_checkpoint(filled: Context, place: Place, tmp_path: Path) -> None:
    with filled.sessions.begin() as session:
        over = session.scalars(select(Run.id).where(Run.state == "finished")).one()
        session.add(Evaluation(run_id=over, step=30, code_version="v", epoch=4, worker="gone", lease_until=1e12))
    save(filled.engine, filled.artifacts, tmp_path / "backup.tar")
    place.restore(tmp_path / "backup.tar")
    sessions = session_factory(place.engine)
    with sessions.begin() as session:
        assert session.scalars(select(Worker)).all() == []
        assert set(session.scalars(select(Run.worker))) == {None}
        claims = [claim_next(session, "new", 60) for _ in range(3)]
        resumed = [claim for claim in claims if claim and claim.checkpoint]
        assert [claim is None for claim in claims] == [False, False, True]
        assert [claim.checkpoint.step for claim in resumed if claim.checkpoint] == [10]
        awaited = session.scalars(select(Evaluation)).one()
        assert (awaited.step, awaited.epoch, awaited.worker, awaited.lease_until) == (30, 4 + EPOCH_GAP, None, 0.0)
        # New rows get new ids.
        session.add(Series(run_id=resumed[0].run_id, metric="new"))
        session.flush()
        assert session.scalar(select(func.count()).select_from(RunEvent).where(RunEvent.name == "restored")) == 2


def test_a_worker_that_outlived_the_restore_holds_a_token_that_is_given_out_to_nobody_again(
    filled: Context, place: Place, tmp_path: Path
) -> None:
    save(filled.engine, filled.artifacts, tmp_path / "backup.tar")
    with filled.sessions.begin() as session:
        session.execute(update(Run).values(lease_until=0.0))
        forgotten = claim_next(session, "forgotten", 60)  # After the backup, and before its loss.
    assert forgotten is not None
    place.restore(tmp_path / "backup.tar")
    sessions = session_factory(place.engine)
    with sessions.begin() as session:
        claims = [claim_next(session, "new", 60) for _ in range(2)]
        assert forgotten.run_id in {claim.run_id for claim in claims if claim}
    with sessions.begin() as session, pytest.raises(FencedError):
        release(session, forgotten, "the segment is over")


def test_a_backup_is_refused_where_there_are_rows_and_leaves_them_alone(filled: Context, tmp_path: Path) -> None:
    save(filled.engine, filled.artifacts, tmp_path / "backup.tar")
    before = content(filled.engine)
    with pytest.raises(BackupError, match=r"not empty.*TAUSCOPE_HOME"):
        restore(filled.engine, filled.artifacts, tmp_path / "backup.tar", tmp_path)
    assert content(filled.engine) == before


def test_a_database_that_was_only_migrated_counts_as_empty(filled: Context, other_database_url: str, place: Place, tmp_path: Path) -> None:
    save(filled.engine, filled.artifacts, tmp_path / "backup.tar")
    upgrade(other_database_url)
    assert place.restore(tmp_path / "backup.tar") == ()
    assert len(content(place.engine)["run"]) == 3


def test_a_damaged_artifact_is_named_and_the_rest_is_saved(filled: Context, worker: FakeWorker, place: Place, tmp_path: Path) -> None:
    with filled.sessions() as session:
        file = session.scalars(select(RunFile).where(RunFile.path == "checkpoints/30.weights")).one()
    root = Path(filled.settings.artifacts_url)
    (root / file.sha256[:2] / file.sha256[2:]).write_bytes(b"damaged")
    manifest = save(filled.engine, filled.artifacts, tmp_path / "backup.tar")
    (missing,) = manifest.missing
    assert missing.sha256 == file.sha256 and "checkpoints/30.weights" in str(missing) and "damaged" in missing.cause
    (told,) = place.restore(tmp_path / "backup.tar")
    assert "checkpoints/30.weights" in told
    assert len(content(place.engine)["run_file"]) == len(content(filled.engine)["run_file"])


def test_what_was_pruned_while_the_artifacts_were_copied_is_left_out_without_a_fuss(filled: Context, place: Place, tmp_path: Path) -> None:
    with filled.sessions() as session:
        pruned = session.scalars(select(RunFile).where(RunFile.path == "checkpoints/30.weights")).one()

    class Pruned(ArtifactStore):
        """Loses the artifact, and its row, when it is asked for."""

        def fetch(self, sha256: str, to: Path) -> None:
            if sha256 == pruned.sha256 and (found := self.find(sha256)):
                with filled.sessions.begin() as session:
                    session.query(RunFile).where(RunFile.sha256 == sha256).delete()
                self.remove(found)
            super().fetch(sha256, to)

    manifest = save(filled.engine, Pruned(filled.settings.artifacts_url), tmp_path / "backup.tar")
    assert manifest.missing == ()
    assert place.restore(tmp_path / "backup.tar") == ()
    paths = {row["path"] for row in content(place.engine)["run_file"]}
    assert "checkpoints/30.weights" not in paths and "checkpoints/30.state" in paths


def rewritten(source: Path, target: Path, change: Callable[[str, bytes], bytes | None], *extra: tarfile.TarInfo) -> Path:
    """The same tar file with members changed, left out or added."""
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for member in old:
            file = old.extractfile(member)
            assert file is not None
            data = change(member.name, file.read())
            if data is not None:
                member.size = len(data)
                new.addfile(member, io.BytesIO(data))
        for member in extra:
            new.addfile(member)
    return target


def link(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return info


@pytest.fixture
def whole(filled: Context, tmp_path: Path) -> Path:
    save(filled.engine, filled.artifacts, tmp_path / "backup.tar")
    return tmp_path / "backup.tar"


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize("member", [tarfile.TarInfo("../escape"), tarfile.TarInfo("/tmp/escape"), link("artifacts/" + "0" * 64)])
def test_a_member_that_no_backup_holds_is_refused(member: tarfile.TarInfo, whole: Path, place: Place, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="which no backup does"):
        place.restore(rewritten(whole, tmp_path / "bad.tar", lambda _, data: data, member))
    assert not (tmp_path / "escape").exists() and not Path("/tmp/escape").exists()


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda name, data: None if name == "backup.json" else data, "cut off"),
        (lambda name, data: data.replace(b"queued", b"failed") if name == "tables/run.jsonl" else data, "table run"),
        (lambda name, data: None if name == "tables/run.jsonl" else data, "table run"),
        (lambda name, data: b"{}" if name == "backup.json" else data, "cannot read"),
    ],
)
def test_a_backup_that_is_not_whole_changes_nothing(change: Any, why: str, whole: Path, place: Place, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=why):
        place.restore(rewritten(whole, tmp_path / "bad.tar", change))
    assert list(place.store.files()) == []


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.7])
def test_a_file_that_was_cut_off_is_refused(share: float, whole: Path, place: Place, tmp_path: Path) -> None:
    data = whole.read_bytes()
    (tmp_path / "cut.tar").write_bytes(data[: int(share * len(data))])
    with pytest.raises(BackupError):
        place.restore(tmp_path / "cut.tar")


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_backup_of_a_newer_schema_asks_for_an_upgrade(whole: Path, place: Place, tmp_path: Path) -> None:
    def newer(name: str, data: bytes) -> bytes:
        return json.dumps(json.loads(data) | {"revision": "9999"}).encode() if name == "backup.json" else data

    with pytest.raises(BackupError, match="Upgrade Tauscope"):
        place.restore(rewritten(whole, tmp_path / "newer.tar", newer))


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_an_artifact_damaged_in_the_backup_is_named_and_not_restored(whole: Path, place: Place, tmp_path: Path) -> None:
    with tarfile.open(whole) as tar:
        names = [name for name in tar.getnames() if name.startswith("artifacts/")]

    def damage(name: str, data: bytes) -> bytes:
        return bytes([data[0] ^ 1]) + data[1:] if name == names[0] else data

    (told,) = place.restore(rewritten(whole, tmp_path / "bad.tar", damage))
    assert names[0].removeprefix("artifacts/") in told
    assert len(list(place.store.files())) == len(names) - 1


def test_a_database_without_our_tables_is_not_backed_up(empty_database_url: str, tmp_path: Path) -> None:
    engine = open_database(empty_database_url)
    with pytest.raises(BackupError, match="TAUSCOPE_DATABASE_URL"):
        save(engine, ArtifactStore(str(tmp_path / "none")), tmp_path / "backup.tar")
    engine.dispose()
    assert not (tmp_path / "backup.tar").exists()


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_the_commands_say_in_words_what_is_wrong_and_by_their_exit_code(
    whole: Path, filled: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAUSCOPE_HOME", str(filled.settings.home))
    monkeypatch.setenv("TAUSCOPE_DATABASE_URL", filled.settings.database_url)
    assert restore_main([str(whole)]) == 2
    assert "not empty" in capsys.readouterr().err
    assert backup_main([str(tmp_path / "nowhere" / "backup.tar")]) == 2
    assert "nowhere" in capsys.readouterr().err
    for file in filled.artifacts.files():
        filled.artifacts.remove(file)
    assert backup_main([str(tmp_path / "second.tar")]) == 1
    assert "checkpoints/30.weights" in capsys.readouterr().err
    monkeypatch.setenv("TAUSCOPE_DATABASE_URL", "mysql://nowhere")
    assert backup_main([str(tmp_path / "third.tar")]) == 2
    assert "TAUSCOPE_DATABASE_URL" in capsys.readouterr().err
