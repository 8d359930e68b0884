"""What cannot be used is refused with its fault and its remedy, and nothing of it runs, is unpacked, or breaks the reader."""

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from tauscope.cli.app import app
from tauscope.datasets import DatasetError, dataset_problems, find_dataset
from tauscope.datasets.image_list import UnreadableImageError
from tauscope.specs.dataset import DatasetSpec
from tests.datasets.broken_places import BROKEN
from tests.datasets.own_files import encoded, pictures, save_to_disk, table, write_parquet, write_zip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_place_is_told_with_its_fault_and_its_remedy(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "root"
    root.mkdir()
    broken = BROKEN[case]
    path = broken.make(root)
    files = sorted(tmp_path.rglob("*"))
    result = CliRunner().invoke(app, ["datasets", "check", str(path), "--json"])
    assert result.exit_code == 1, result.output
    document = json.loads(result.stdout)
    told = " ".join([document["problem"], document["remedy"], *document.get("unreadable", ())])
    assert broken.fault in told
    assert broken.remedy in document["remedy"]
    assert sorted(tmp_path.rglob("*")) == files, "nothing is unpacked or run"


@pytest.mark.parametrize(
    "case", [case for case, broken in BROKEN.items() if "dataset.unreadable" not in broken.remedy and "intact copies" not in broken.remedy]
)
def test_a_launch_on_a_broken_place_is_refused_or_fails_at_its_first_image(case: str, tmp_path: Path) -> None:
    path = BROKEN[case].make(tmp_path)
    spec = DatasetSpec(name="images", path=str(path), n_train=2, n_held_out=32, size=8)
    problems = dataset_problems(spec)
    if not problems:  # The range of floating-point pixels is known once they have been read.
        with pytest.raises(DatasetError, match=r"floating|NaN"):
            find_dataset("images").open(str(path)).picture(0)
    assert all(problem.remedy for problem in problems)


def test_damage_anywhere_in_a_container_is_told_and_nothing_else_is_raised(tmp_path: Path) -> None:
    """A byte changed at each of many places: images come out, or an error that names the file or the image."""
    images, rng = pictures(6, height=4, width=4), np.random.default_rng(0)
    np.savez(tmp_path / "x.npz", images=images)
    torch.save({"images": torch.tensor(images), "labels": torch.arange(6)}, tmp_path / "x.pt")
    write_parquet(tmp_path / "x.parquet", table(images, [0] * 6))
    write_zip(tmp_path / "x.zip", {f"{index}.png": encoded(image) for index, image in enumerate(images)})
    saved = save_to_disk(tmp_path / "saved", table(images, [0] * 6))
    for file in [*sorted(tmp_path.glob("x.*")), *saved.iterdir()]:
        whole = file.read_bytes()
        for _ in range(60):
            data = bytearray(whole)
            data[rng.integers(len(data))] = rng.integers(256)
            file.write_bytes(data)
            with contextlib.suppress(DatasetError, UnreadableImageError):
                opened = find_dataset("images").open(str(saved if file.parent == saved else file))
                opened.labels()
                assert all(opened.picture(index).dtype == np.uint8 for index in range(len(opened)))


def test_an_image_of_a_run_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = save_to_disk(tmp_path / "saved", table(pictures(3), [0, 1, 0], paths=["", "", ""]))
    with pytest.raises(UnreadableImageError, match=r"row \d of .*data-00000-of-00001.arrow: the file is empty"):
        find_dataset("save_to_disk").open(str(path)).picture(0)
