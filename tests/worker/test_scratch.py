"""Work folders of workers that start at the same moment."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

from worker.scratch import open_work_folder


def test_what_a_dead_worker_left_is_cleared_and_what_a_living_one_has_stays(tmp_path: Path) -> None:
    open_work_folder(tmp_path / "dead").close()
    living = open_work_folder(tmp_path / "living")
    mine = open_work_folder(tmp_path / "mine")
    assert {path.name for path in tmp_path.iterdir()} == {"living", "mine"}
    living.close()
    mine.close()


def test_what_a_dead_worker_of_the_same_name_left_is_cleared(tmp_path: Path) -> None:
    open_work_folder(tmp_path / "mine").close()
    (tmp_path / "mine" / "run-1").mkdir()
    (tmp_path / "mine" / "run-1" / "state.json").write_text("{}")
    (tmp_path / "mine" / "part").write_text("half")
    open_work_folder(tmp_path / "mine").close()
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["lock"]


@pytest.mark.parametrize("step", ["mkdir", "open"])
def test_a_worker_that_starts_at_the_same_moment_clears_nothing_that_is_in_use(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., Any] = getattr(Path, step)
    rivals: list[IO[bytes]] = []

    def interrupted(path: Path, *args: Any, **options: Any) -> Any:
        result = real(path, *args, **options)
        if "mine" in path.parts and not rivals:
            monkeypatch.setattr(Path, step, real)
            rivals.append(open_work_folder(tmp_path / "rival"))
        return result

    monkeypatch.setattr(Path, step, interrupted)
    mine = open_work_folder(tmp_path / "mine")
    third = open_work_folder(tmp_path / "third")
    assert rivals and {path.name for path in tmp_path.iterdir()} == {"mine", "rival", "third"}
    for lock in (mine, third, *rivals):
        lock.close()


def test_many_that_start_together_each_have_their_folder(tmp_path: Path) -> None:
    locks: list[IO[bytes]] = []
    threads = [threading.Thread(target=lambda name=name: locks.append(open_work_folder(tmp_path / name))) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {path.name for path in tmp_path.iterdir() if (path / "lock").exists()} == set("abcdefgh")
    assert len(locks) == 8
    for lock in locks:
        lock.close()
