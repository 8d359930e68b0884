"""What the cache holds is listed with its size, and what is not used goes; what is being prepared stays."""

import fcntl
import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from tauscope.cli.app import app
from tauscope.datasets.kept import Kept, kept, prune
from tauscope.datasets.registered import archive_file
from tauscope.features.cache import FeatureCache
from tests.datasets.test_cache import Counted, opened
from tests.features.test_cache import Counting

DAY = 86_400.0


def fill() -> None:
    """Two prepared sets, three blocks of features and an archive."""
    opened(Counted(fingerprint="a"))
    opened(Counted(20, fingerprint="b"), colour=True)
    FeatureCache.default().features(Counting(), torch.arange(150, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 4, 4))
    archive_file("f" * 64).parent.mkdir(parents=True)
    archive_file("f" * 64).write_bytes(b"zip" * 1000)


def age(items: list[Kept], days: float) -> None:
    at = time.time() - days * DAY
    for item in items:
        for file in item.place.iterdir() if item.place.is_dir() else (item.place,):
            os.utime(file, (at, at))


def of(kind: str) -> list[Kept]:
    return [item for item in kept() if item.kind == kind]


def test_everything_is_listed_with_its_size_and_in_words() -> None:
    assert kept() == []
    fill()
    assert sorted(item.kind for item in kept()) == ["archive", *["features"] * 3, *["prepared images"] * 2]
    large, small = of("prepared images")
    assert large.what == "20 images, 8 pixels, colour, the first photos/0.jpg"
    assert small.what.startswith("10 images, 8 pixels, grey")
    assert large.n_bytes > 20 * 3 * 64 and of("archive")[0].n_bytes == 3000
    assert sum(item.n_bytes for item in of("features")) == sum(file.stat().st_size for file in (item.place for item in of("features")))


def test_what_was_used_lately_stays_and_using_it_counts() -> None:
    fill()
    age(kept(), 40)
    opened(Counted(fingerprint="a"))  # Read again, prepared no second time.
    removed = prune(kept(), unused_since=time.time() - 30 * DAY)
    assert len(removed) == 5
    assert [item.what[:9] for item in kept()] == ["10 images"]


def test_a_run_that_has_mapped_its_images_is_not_disturbed_and_they_are_prepared_again() -> None:
    found = opened(Counted())
    before = np.array(found.pixels)
    prune(kept(), unused_since=time.time() + 1)
    assert kept() == [] and np.array_equal(found.pixels, before)
    again = Counted()
    assert np.array_equal(opened(again).pixels, before) and again.looked == 10


@pytest.mark.parametrize("left_over", [False, True])
def test_what_another_process_prepares_stays_and_what_a_killed_one_left_goes(left_over: bool) -> None:
    opened(Counted())
    (item,) = kept()
    partial = item.place.rename(item.place.with_name(f"{item.place.name}.12345.partial")) if left_over else item.place
    with item.place.with_name(f"{item.place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert prune(kept(), unused_since=time.time() + 1) == [] and partial.is_dir()
    (gone,) = prune(kept(), unused_since=time.time() + 1)
    assert gone.kind == ("unfinished images" if left_over else "prepared images") and not partial.exists()


def test_a_cache_from_before_names_were_kept_and_a_damaged_one_are_listed(cache: Path) -> None:
    opened(Counted())
    (item,) = kept()
    record = item.place / "preparation.json"
    record.write_text(json.dumps({name: value for name, value in json.loads(record.read_text()).items() if name != "first"}))
    assert kept()[0].what == "10 images, 8 pixels, grey"
    os.truncate(item.place / "images.npy", 20)
    assert kept()[0].what.startswith("damaged")


def test_the_command_lists_removes_on_demand_and_says_how_much() -> None:
    fill()
    age(of("features"), 40)
    listed = CliRunner().invoke(app, ["datasets", "cache"])
    assert listed.exit_code == 0 and "of 3 blocks of images" in listed.output and "20 images, 8 pixels" in listed.output
    assert len(kept()) == 6, "listing removes nothing"
    size = sum(item.n_bytes for item in of("features"))
    told = json.loads(CliRunner().invoke(app, ["datasets", "cache", "--prune", "--json"]).stdout)
    assert told["removed_bytes"] == size and of("features") == [] and len(told["kept"]) == 3
    pruned = CliRunner().invoke(app, ["datasets", "cache", "--prune", "--unused", "0"])
    assert "not used for 0 days removed" in pruned.output and "0 B in" in pruned.output and kept() == []
