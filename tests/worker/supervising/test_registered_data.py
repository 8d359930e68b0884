"""A worker on another machine fetches the archive of a registered data set; what is known of the images stays with the run."""

from pathlib import Path

import pytest

from tauscope.datasets.registered import archive_file
from tests.worker.supervising.supervised import Sessions, change, serve_until_over, the_run
from worker.supervisor import Supervisor


@pytest.fixture(autouse=True)
def another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAUSCOPE_CACHE", str(tmp_path / "another-cache"))


def on_archive(sessions: Sessions, sha256: str) -> None:
    spec = the_run(sessions).spec
    change(sessions, spec=spec | {"dataset": spec["dataset"] | {"name": "faces", "registered": {"format": "images", "sha256": sha256}}})


def test_the_archive_is_on_the_machine_before_the_run_begins(supervisor: Supervisor, sessions: Sessions, tiny: str, tmp_path: Path) -> None:
    (tmp_path / "faces.zip").write_bytes(b"an archive")
    sha256, _ = supervisor.services.store.put(tmp_path / "faces.zip")
    on_archive(sessions, sha256)
    assert serve_until_over(supervisor, sessions).state == "finished"
    assert archive_file(sha256).read_bytes() == b"an archive"


def test_that_an_archive_was_removed_is_left_to_the_run_to_tell(
    supervisor: Supervisor, sessions: Sessions, tiny: str, tmp_path: Path
) -> None:
    (tmp_path / "other.zip").write_bytes(b"another archive")
    supervisor.services.store.put(tmp_path / "other.zip")
    on_archive(sessions, "0" * 64)
    assert serve_until_over(supervisor, sessions).state == "finished", "the stand-in child asks for no images"
    assert not archive_file("0" * 64).exists()


def test_what_is_known_of_its_images_stays_with_the_run(
    supervisor: Supervisor, sessions: Sessions, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CHILD_REMARK", "12 of 1,000 held-out images equal a training image")
    assert serve_until_over(supervisor, sessions).remarks == ["12 of 1,000 held-out images equal a training image"]
