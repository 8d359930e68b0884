"""A run goes on with the images it began with, and keeps their labels beside them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tauscope.datasets import load_split
from tauscope.experiments import ImageDdpmExperiment
from tauscope.specs import ImageDdpmSpec
from tauscope.training.checkpoints import CheckpointError
from tests.training.test_resume import CPU, Notebook, spec


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write(tmp_path / "images.npy", np.random.default_rng(0).integers(0, 256, (80, 8, 8), dtype=np.uint8))


def write(path: Path, pixels: np.ndarray) -> Path:
    np.save(path, pixels)
    return path


def on(path: Path, **changes: Any) -> ImageDdpmSpec:
    return spec(dataset={"name": "arrays", "path": str(path), "n_train": 16, "n_held_out": 64}, **changes)


def begun(path: Path, folder: Path) -> Path:
    notebook = Notebook(end_at=4)
    assert not ImageDdpmExperiment(on(path), device=CPU, folder=folder).run(notebook)
    return notebook.checkpoints[-1]


def go_on(chosen: ImageDdpmSpec, folder: Path, checkpoint: Path | None) -> None:
    assert ImageDdpmExperiment(chosen, device=CPU, folder=folder).run(Notebook(), checkpoint=checkpoint)


@pytest.mark.parametrize("which", ["trained on", "held out"])
def test_other_images_at_the_same_place_are_refused_with_the_remedy_and_nothing_is_written_over(
    images: Path, tmp_path: Path, which: str
) -> None:
    folder = tmp_path / "run"
    checkpoint = begun(images, folder)
    before, kept = (folder / "train.npz").read_bytes(), np.load(images)
    split = load_split(on(images).dataset)
    seen = (split.train if which == "trained on" else split.held_out)[0, 0]
    changed = kept.copy()
    changed[(kept == seen).all((1, 2)), 0, 0] ^= 1
    write(images, changed)
    with pytest.raises(
        CheckpointError, match=r"the data are not those .*4\.json was trained on: put them back as they were, or begin a new"
    ):
        go_on(on(images), folder, checkpoint)
    assert (folder / "train.npz").read_bytes() == before
    write(images, kept)
    go_on(on(images), folder, checkpoint)


def test_the_same_images_with_other_labels_are_other_data_also_where_the_network_is_not_told_them(tmp_path: Path, images: Path) -> None:
    labelled = tmp_path / "labelled.npz"
    pixels, labels = np.load(images), np.arange(80) % 3
    np.savez(labelled, images=pixels, labels=labels)
    checkpoint = begun(labelled, tmp_path / "run")
    np.savez(labelled, images=pixels, labels=(labels + 1) % 3)
    with pytest.raises(CheckpointError, match=r"the labels are not those .*4\.json was trained on: put them back"):
        go_on(on(labelled), tmp_path / "run", checkpoint)
    without_digest(checkpoint, "labels_sha256")  # As before it was kept.
    go_on(on(labelled), tmp_path / "run", checkpoint)


def without_digest(checkpoint: Path, name: str) -> str:
    state = json.loads(checkpoint.read_text())
    digest: str = state.pop(name)
    checkpoint.write_text(json.dumps(state))
    return digest


def test_a_checkpoint_from_before_the_digest_was_kept_is_resumed_from(images: Path, tmp_path: Path) -> None:
    checkpoint = begun(images, tmp_path / "run")
    assert without_digest(checkpoint, "data_sha256") == load_split(on(images).dataset).sha256()
    write(images, np.load(images)[::-1])
    go_on(on(images), tmp_path / "run", checkpoint)


def test_a_fork_may_go_on_with_other_images(images: Path, tmp_path: Path) -> None:
    checkpoint = begun(images, tmp_path / "run")
    other = write(tmp_path / "other.npy", np.load(images)[::-1])
    go_on(on(other, fork={"step": 4, "path": str(checkpoint)}), tmp_path / "fork", None)


def test_labels_stand_beside_the_training_images_where_the_data_set_has_them(images: Path, tmp_path: Path) -> None:
    begun(images, tmp_path / "unlabelled")
    assert not ImageDdpmExperiment(spec(), device=CPU, folder=tmp_path / "digits").run(Notebook(end_at=1))
    with np.load(tmp_path / "unlabelled" / "train.npz") as without, np.load(tmp_path / "digits" / "train.npz") as labelled:
        assert without.files == ["images"]
        assert np.array_equal(labelled["labels"], load_split(spec().dataset).train_labels)
