"""The artifact store on a local folder and on an in-memory store."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from backend.storage.artifacts import ArtifactCorruptError, ArtifactStore
from backend.storage.store_marker import NAME, StoreMissingError


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(str(tmp_path / "store") if request.param == "folder" else f"memory://{tmp_path.name}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"weights" * 1000)
    return path


def test_what_was_put_is_read_and_fetched(store: ArtifactStore, file: Path, tmp_path: Path) -> None:
    sha256, n_bytes = store.put(file)
    assert n_bytes == 7000 and store.exists(sha256)
    assert store.read(sha256) == file.read_bytes()
    store.fetch(sha256, tmp_path / "deep" / "copy")
    assert (tmp_path / "deep" / "copy").read_bytes() == file.read_bytes()


def test_putting_twice_stores_once(store: ArtifactStore, file: Path) -> None:
    assert store.put(file) == store.put(file)


def test_a_removed_artifact_is_gone_and_may_be_removed_again(store: ArtifactStore, file: Path) -> None:
    sha256, _ = store.put(file)
    found = store.find(sha256)
    assert found is not None and found.n_bytes == 7000
    store.remove(found)
    store.remove(found)
    assert not store.exists(sha256)
    with pytest.raises(ArtifactCorruptError, match="gone"):
        store.read(sha256)


def test_what_is_set_aside_is_still_read_and_stored_anew_by_whoever_has_the_same_bytes(store: ArtifactStore, file: Path) -> None:
    sha256, _ = store.put(file)
    found = store.find(sha256)
    assert found is not None
    aside = store.set_aside(found)
    assert not store.exists(sha256) and store.read(sha256) == file.read_bytes()
    store.put(file)
    store.remove(aside)
    assert store.read(sha256) == file.read_bytes()


def test_what_is_put_back_is_in_its_place_and_nowhere_else(store: ArtifactStore, file: Path) -> None:
    sha256, _ = store.put(file)
    found = store.find(sha256)
    assert found is not None
    store.put_back(store.set_aside(found))
    assert [(stored.place, stored.name) for stored in store.files()] == [("kept", sha256)]


def test_storing_an_old_file_again_renews_its_date(store: ArtifactStore, file: Path) -> None:
    sha256, _ = store.put(file)
    found = store.find(sha256)
    assert found is not None
    make_old(store, found.path)
    before = store.modified(found.path)
    store.put(file)
    after = store.modified(found.path)
    assert before is not None and after is not None and after > before + 3000


def make_old(store: ArtifactStore, path: str, seconds: float = 7200) -> None:
    """Give a file an earlier date, whatever the store."""
    date = time.time() - seconds
    if store.keeps_dates:
        os.utime(path, (date, date))
    else:
        MemoryFileSystem.store[path].modified = datetime.fromtimestamp(date, UTC)


def damage(folder: Path, sha256: str) -> None:
    path = folder / sha256[:2] / sha256[2:]
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)


def test_a_flipped_bit_is_noticed_and_leaves_no_file(file: Path, tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path / "store"))
    sha256, _ = store.put(file)
    damage(tmp_path / "store", sha256)
    with pytest.raises(ArtifactCorruptError, match="damaged"):
        store.fetch(sha256, tmp_path / "out" / "copy")
    with pytest.raises(ArtifactCorruptError, match="damaged"):
        store.read(sha256)
    assert list((tmp_path / "out").iterdir()) == []


def test_putting_the_same_bytes_again_mends_damage(file: Path, tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path / "store"))
    sha256, _ = store.put(file)
    damage(tmp_path / "store", sha256)
    store.put(file)
    assert store.read(sha256) == file.read_bytes()


def test_a_store_that_fails_midway_leaves_nothing_behind(file: Path, tmp_path: Path) -> None:
    class Full:
        def __init__(self, inner: object) -> None:
            self.inner = inner

        def __getattr__(self, name: str) -> object:
            return getattr(self.inner, name)

        def mv(self, source: str, target: str) -> None:
            raise OSError(28, "No space left on device")

    from fsspec.implementations.local import LocalFileSystem

    store = ArtifactStore(str(tmp_path / "store"), filesystem=Full(LocalFileSystem()))
    with pytest.raises(OSError, match="No space"):
        store.put(file)
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []


def lose(store: ArtifactStore, tmp_path: Path) -> None:
    """Let the store vanish as if it were unmounted: what is left is an empty folder."""
    if store.keeps_dates:
        (tmp_path / "store").rename(tmp_path / "elsewhere")
        (tmp_path / "store").mkdir()
    else:
        MemoryFileSystem.store.clear()


def test_a_store_that_is_away_is_no_damage_whoever_looks(store: ArtifactStore, file: Path, tmp_path: Path) -> None:
    sha256, _ = store.put(file)
    anew = ArtifactStore(str(tmp_path / "store") if store.keeps_dates else f"memory://{tmp_path.name}")
    lose(store, tmp_path)
    for reader in (store, anew):
        with pytest.raises(StoreMissingError, match="empty or not mounted"):
            reader.read(sha256)
        with pytest.raises(StoreMissingError):
            reader.fetch(sha256, tmp_path / "copy")


def test_nothing_is_stored_where_a_store_was_and_is_no_longer(store: ArtifactStore, file: Path, tmp_path: Path) -> None:
    store.put(file)
    lose(store, tmp_path)
    for _ in range(2):
        with pytest.raises(StoreMissingError):
            store.put(file)
    assert list(store.files()) == []


def test_a_lost_file_of_a_store_that_an_earlier_version_made_is_damage_and_the_store_is_marked(file: Path, tmp_path: Path) -> None:
    ArtifactStore(str(tmp_path / "store")).put(file)
    (tmp_path / "store" / NAME).unlink()
    with pytest.raises(ArtifactCorruptError, match="gone"):
        ArtifactStore(str(tmp_path / "store")).read("0" * 64)
    assert (tmp_path / "store" / NAME).exists()
