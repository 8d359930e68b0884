"""Features are computed once for the same images and the same network, and kept within a limit."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy import ndarray

from tauscope.features.cache import BLOCK, FeatureCache


class Counting:
    """Counts the images it is asked for."""

    def __init__(self, identity: str = "a") -> None:
        self.identity = identity
        self.seen = 0

    def features(self, images: torch.Tensor) -> ndarray:
        self.seen += len(images)
        return images.float().mean((1, 2, 3), keepdim=True).flatten(1).numpy().repeat(256, axis=1)


IMAGES = torch.randint(0, 256, (3 * BLOCK + 5, 1, 4, 4), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def test_the_same_images_are_looked_at_once_also_by_another_process(tmp_path: Path) -> None:
    network = Counting()
    first = FeatureCache(tmp_path).features(network, IMAGES)
    assert np.array_equal(FeatureCache(tmp_path).features(network, IMAGES), first)
    assert network.seen == len(IMAGES)


def test_more_images_of_a_set_cost_only_the_new_ones(tmp_path: Path) -> None:
    network, cache = Counting(), FeatureCache(tmp_path)
    cache.features(network, IMAGES[: 2 * BLOCK])
    cache.features(network, IMAGES)
    assert network.seen == len(IMAGES)


def test_another_network_or_changed_pixels_are_looked_at_anew(tmp_path: Path) -> None:
    cache, changed = FeatureCache(tmp_path), IMAGES.clone()
    changed[0, 0, 0, 0] += 1
    cache.features(Counting(), IMAGES)
    other, same = Counting("b"), Counting()
    cache.features(other, IMAGES)
    cache.features(same, changed)
    assert other.seen == len(IMAGES)
    assert same.seen == BLOCK


def test_what_was_not_used_for_longest_goes_first_beyond_the_limit(tmp_path: Path) -> None:
    room_for_three = 3 * (BLOCK * 256 * 4 + 128)
    network, cache = Counting(), FeatureCache(tmp_path, limit_bytes=room_for_three)
    blocks = [torch.full((BLOCK, 1, 4, 4), k, dtype=torch.uint8) for k in range(4)]
    for age, block in enumerate(blocks[:3]):
        cache.features(network, block)
        (made,) = [file for file in tmp_path.glob("*/*.npy") if file.stat().st_mtime > 1e6]
        os.utime(made, (age, age))
    cache.features(network, blocks[0])  # Used again: now the youngest.
    cache.features(network, blocks[3])
    assert sum(file.stat().st_size for file in tmp_path.glob("*/*.npy")) <= room_for_three
    seen = network.seen
    cache.features(network, blocks[0])
    assert network.seen == seen
    cache.features(network, blocks[1])
    assert network.seen == seen + BLOCK


def test_a_damaged_file_is_computed_anew(tmp_path: Path) -> None:
    network, cache = Counting(), FeatureCache(tmp_path)
    first = cache.features(network, IMAGES[:BLOCK])
    (file,) = tmp_path.glob("*/*.npy")
    file.write_bytes(file.read_bytes()[:40])
    assert np.array_equal(cache.features(network, IMAGES[:BLOCK]), first)


def test_it_lies_where_the_other_caches_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TAUSCOPE_CACHE", raising=False)
    monkeypatch.setenv("TAUSCOPE_HOME", str(tmp_path))
    assert FeatureCache.default().folder == tmp_path / "cache/features"
    monkeypatch.setenv("TAUSCOPE_CACHE", str(tmp_path / "elsewhere"))
    assert FeatureCache.default().folder == tmp_path / "elsewhere/features"
