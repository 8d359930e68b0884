"""A data set is prepared once, whoever asks and however often, and what stands in the cache is whole."""

import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import pytest
from numpy import ndarray

from tauscope.datasets.cache import Prepared, open_prepared
from tauscope.datasets.image_list import UnreadableImageError
from tauscope.datasets.preparing import Progress, unwatched
from tauscope.folders import cache_folder
from tests.datasets.made import pixels


class Counted:
    """Images that count how often they are looked at; some are damaged, some slow."""

    def __init__(self, n: int = 10, *, damaged: tuple[int, ...] = (), fingerprint: str = "a", seconds: float = 0.0) -> None:
        self.pixels = pixels(n, 12, 10, 3)
        self.damaged, self.key, self.seconds = damaged, fingerprint, seconds
        self.looked = 0

    def __len__(self) -> int:
        return len(self.pixels)

    def picture(self, index: int) -> ndarray:
        self.looked += 1
        time.sleep(self.seconds)
        if index in self.damaged:
            raise UnreadableImageError(self.place(index), "it is cut off")
        return self.pixels[index]

    def place(self, index: int) -> str:
        return f"photos/{index}.jpg"

    def labels(self) -> None:
        return None

    def fingerprint(self) -> str:
        return self.key


def opened(images: Counted, *, size: int = 8, colour: bool = False, skip: bool = False, progress: Progress = unwatched) -> Prepared:
    return open_prepared(images, size=size, colour=colour, skip=skip, progress=progress)


def test_the_second_time_no_image_is_read_and_the_pixels_stay_on_disk() -> None:
    first, again = Counted(), Counted()
    told: list[tuple[int, int]] = []
    made = opened(first, progress=lambda done, total: told.append((done, total)))
    found = opened(again)
    assert (first.looked, again.looked) == (10, 0)
    assert told == [(done, 10) for done in range(1, 11)]
    assert isinstance(found.pixels, np.memmap) and found.pixels.shape == (10, 1, 8, 8)
    assert np.array_equal(made.pixels, found.pixels)


@pytest.mark.parametrize("changed", [{"size": 9}, {"colour": True}, {"fingerprint": "b"}])
def test_another_size_colour_or_source_is_prepared_anew(changed: dict[str, object]) -> None:
    opened(Counted())
    other = Counted(fingerprint=str(changed.pop("fingerprint", "a")))
    opened(other, **changed)  # type: ignore[arg-type]
    assert other.looked == 10


def test_an_unreadable_image_ends_it_by_name_and_leaves_no_cache(cache: Path) -> None:
    with pytest.raises(UnreadableImageError, match=r"photos/3\.jpg: it is cut off"):
        opened(Counted(damaged=(3,)))
    assert [file.suffix for file in (cache / "datasets").iterdir()] == [".lock"]


def test_unreadable_images_are_left_out_by_choice_and_counted() -> None:
    images = Counted(damaged=(3, 7))
    found = opened(images, skip=True)
    assert found.pixels.shape[0] == found.record.n_images == 8 and found.record.n_listed == 10
    assert [(item.index, item.place, item.reason) for item in found.record.unreadable] == [
        (3, "photos/3.jpg", "it is cut off"),
        (7, "photos/7.jpg", "it is cut off"),
    ]
    whole = opened(Counted(fingerprint="whole"))
    assert np.array_equal(found.pixels, np.delete(whole.pixels, [3, 7], axis=0))


def test_a_cache_made_without_some_images_is_refused_where_all_are_asked_for() -> None:
    opened(Counted(damaged=(3,)), skip=True)
    again = Counted(damaged=(3,))
    with pytest.raises(UnreadableImageError, match=r"photos/3\.jpg"):
        opened(again)
    assert again.looked == 0


def test_a_list_without_a_readable_image_is_empty() -> None:
    assert len(opened(Counted(2, damaged=(0, 1)), skip=True).pixels) == 0
    assert len(opened(Counted(2), skip=True).pixels) == 0


@pytest.mark.parametrize("damage", ["cut off", "empty", "no record", "no images"])
def test_a_damaged_cache_is_made_again(cache: Path, damage: str) -> None:
    whole = np.array(opened(Counted()).pixels)
    (place,) = (folder for folder in (cache / "datasets").iterdir() if folder.is_dir())
    if damage in {"cut off", "empty"}:
        os.truncate(place / "images.npy", 300 if damage == "cut off" else 0)
    else:
        (place / ("preparation.json" if damage == "no record" else "images.npy")).unlink()
    again = Counted()
    assert np.array_equal(opened(again).pixels, whole)
    assert again.looked == 10


def prepare(folder: str, results: "multiprocessing.Queue[tuple[int, list[int], int]]") -> None:
    os.environ["TAUSCOPE_CACHE"] = folder
    images, told = Counted(20, seconds=0.05), []

    def progress(done: int, total: int) -> None:
        told.append(done)

    found = opened(images, progress=progress)
    results.put((images.looked, told, int(np.asarray(found.pixels, np.int64).sum())))


def test_of_two_processes_at_once_one_works_and_the_other_waits_and_is_told_how_far_it_is(cache: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[tuple[int, list[int], int]] = context.Queue()
    children = [context.Process(target=prepare, args=(str(cache), results)) for _ in range(2)]
    for child in children:
        child.start()
    (looked, told, total), (other, also_told, same) = sorted((results.get(timeout=60) for _ in children), key=lambda item: item[0])
    for child in children:
        child.join(60)
    assert {looked, other} == {0, 20} and total == same
    assert also_told == list(range(1, 21))
    assert all(0 <= done <= 20 for done in told)


def test_what_a_killed_process_left_is_cleared_away(cache: Path) -> None:
    opened(Counted())
    (place,) = (folder for folder in (cache / "datasets").iterdir() if folder.is_dir())
    leftover = place.with_name(f"{place.name}.12345.partial")
    place.rename(leftover)
    assert opened(Counted()).record.n_images == 10
    assert not leftover.exists() and place.is_dir()


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("TAUSCOPE_CACHE", "/a", "/a"),
        ("TAUSCOPE_HOME", "/b", "/b/cache"),
        ("XDG_CACHE_HOME", "/c", "/c/tauscope"),
        ("HOME", "/d", "/d/.cache/tauscope"),
    ],
)
def test_the_cache_is_where_the_setting_says_else_under_home_else_where_the_desktop_keeps_caches(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str
) -> None:
    for name in ("TAUSCOPE_CACHE", "TAUSCOPE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    assert cache_folder() == Path(expected)
