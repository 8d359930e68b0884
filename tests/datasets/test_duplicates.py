"""Duplicates are found where they were planted and nowhere else, in numbers that a run keeps."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy import ndarray
from PIL import Image

from tauscope.datasets import DATASETS, DatasetError, load_split
from tauscope.datasets.duplicates import find_duplicates, one_of_each
from tauscope.datasets.near_pairs import MAX_RELATIVE, MAX_RMS, groups, near_pairs
from tauscope.specs.dataset import DatasetSpec


def jpeg(image: ndarray, quality: int = 75) -> ndarray:
    file = BytesIO()
    Image.fromarray(image[0]).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))[None]


def brighter(image: ndarray) -> ndarray:
    return np.clip(image.astype(int) + 12, 0, 255).astype(np.uint8)


def blobs(n: int, *, seed: int = 0, size: int = 32, channels: int = 1) -> ndarray:
    """Smooth random pictures, no two alike."""
    coarse = np.random.default_rng(seed).integers(30, 226, (n, channels, 5, 5), dtype=np.uint8)
    scaled = [[np.asarray(Image.fromarray(plane).resize((size, size), Image.Resampling.BICUBIC)) for plane in image] for image in coarse]
    return np.array(scaled)


def truth(pixels: ndarray) -> set[tuple[int, int]]:
    """Every pair within the stated distance, by looking at each."""
    rows = pixels.reshape(len(pixels), -1).astype(np.float64)
    rows -= rows.mean(1, keepdims=True)
    contrast = np.sqrt((rows**2).mean(1))
    found = set()
    for one in range(len(rows)):
        rms = np.sqrt(((rows[one] - rows[one + 1 :]) ** 2).mean(1))
        same = (rms <= MAX_RMS) & (rms <= MAX_RELATIVE * np.sqrt(contrast[one] * contrast[one + 1 :]))
        found |= {(one, one + 1 + int(other)) for other in np.flatnonzero(same)}
    return found


def pairs(pixels: ndarray) -> set[tuple[int, int]]:
    found = near_pairs(pixels)
    return set(zip(found.first.tolist(), found.second.tolist(), strict=True))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_compressed_and_a_brighter_copy_are_near_duplicates_and_a_mirrored_one_is_not(channels: int) -> None:
    images = blobs(60, channels=channels)
    compressed = np.concatenate([jpeg(image[:1]) for image in images])[:, None].repeat(channels, 1) if channels == 1 else images
    changed = compressed if channels == 1 else (images // 4 * 4).astype(np.uint8)
    planted = np.concatenate([images, changed, np.stack([brighter(image) for image in images]), images[..., ::-1]])
    found = pairs(planted)
    assert {(i, 60 + i) for i in range(60)} | {(i, 120 + i) for i in range(60)} <= found
    assert not [pair for pair in found if pair[1] >= 180]
    assert all(one % 60 == other % 60 for one, other in found), "no two pictures are called one"


@pytest.mark.parametrize(("name", "size", "n", "least"), [("digits", 8, 797, 0.99), ("orl_faces", 32, 300, 0.99)])
def test_on_real_images_the_lookup_finds_what_every_pair_looked_at_finds(name: str, size: int, n: int, least: float) -> None:
    if DATASETS[name].missing(None):
        pytest.skip(DATASETS[name].missing(None))
    images = load_split(DatasetSpec(name=name, size=size, n_train=n, n_held_out=32)).train
    both = np.concatenate([images, np.stack([jpeg(image, 90) for image in images]), np.stack([brighter(image) for image in images])])
    both = both[np.unique(both.reshape(len(both), -1), axis=0, return_index=True)[1]]
    expected, found = truth(both), pairs(both)
    assert found <= expected, "every pair is confirmed in pixels"
    assert len(expected) > n and len(found) >= least * len(expected)


def test_no_two_different_digits_are_called_one() -> None:
    # Of 1,797 digits the two most alike are 10.6 grey levels apart.
    split = load_split(DatasetSpec(n_train=797, n_held_out=1000))
    assert find_duplicates(split.train, split.held_out).remarks() == []


def test_numbers_and_pairs_name_what_was_planted() -> None:
    images = blobs(50)
    train = np.concatenate([images[:30], images[:3], [jpeg(images[5])], [jpeg(images[6])]])
    held_out = np.concatenate([images[30:], images[10:14], [brighter(images[20])], images[5:6]])
    found = find_duplicates(train, held_out)
    assert (found.n_train, found.train_equal, found.train_near) == (35, 6, 4)
    assert (found.n_held_out, found.held_out_equal, found.held_out_near) == (26, 5, 1)
    leaked = [(pair.first, pair.second, pair.rms is None) for pair in found.pairs if pair.part == "held_out"]
    assert leaked[:5] == [(20, 10, True), (21, 11, True), (22, 12, True), (23, 13, True), (25, 5, True)]
    assert (24, 20, False) in leaked
    assert {(pair.first, pair.second) for pair in found.pairs if pair.part == "train"} >= {(30, 0), (33, 5), (34, 6)}
    assert found.remarks() == [
        "6 of 26 held-out images equal a training image (5 in every byte, 1 nearly): the control is not clean",
        "4 of 35 training images (11.4%) have a near duplicate among them: copies of these are not counted in f_mem. "
        "Set dataset.duplicates to merge to keep one of each",
        "6 of 35 training images equal another in every byte; f_mem counts these as one",
    ]


def test_who_is_joined_to_one_is_joined_to_its_group() -> None:
    assert groups(7, np.array([5, 1, 3]), np.array([6, 5, 4])).tolist() == [0, 1, 2, 3, 3, 1, 1]


def test_blank_images_are_equal_and_none_is_nearly_another() -> None:
    blank = np.stack([np.full((1, 8, 8), level, np.uint8) for level in (0, 0, 90, 255)])
    assert one_of_each(blank).tolist() == [0, 2, 3]


def saved(folder: Path, images: ndarray) -> DatasetSpec:
    np.save(folder / "images.npy", images)
    return DatasetSpec(name="arrays", path=str(folder / "images.npy"), size=32, n_train=8, n_held_out=32)


def test_a_run_keeps_what_was_found_and_merging_leaves_one_of_each(tmp_path: Path) -> None:
    images = blobs(48)
    spec = saved(tmp_path, np.concatenate([images, images[:16], np.concatenate([jpeg(image)[None] for image in images[16:24]])]))
    every = load_split(spec.model_copy(update={"n_train": 40}))
    record = every.record(spec)
    assert record["duplicates"]["held_out_equal"] + record["duplicates"]["held_out_near"] + record["duplicates"]["train_near"] > 0
    assert record["remarks"] == every.duplicates().remarks()
    merging = spec.model_copy(update={"n_train": 16, "duplicates": "merge"})
    merged = load_split(merging)
    assert merged.n_merged == 24 and merged.duplicates().remarks() == []
    assert merged.record(merging)["remarks"] == ["24 images are left out as duplicates of earlier ones"]
    with pytest.raises(DatasetError, match="has 48 images"):
        load_split(merging.model_copy(update={"n_train": 17}))
