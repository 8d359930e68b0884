"""f_mem of windows: copies are found though windows overlap, and pruning changes nothing."""

import numpy as np
import pytest
import torch

from tauscope.metrics.dtw import banded_dtw
from tauscope.metrics.memorization import measure_memorization
from tauscope.metrics.window_memorization import TrainingWindows

LENGTH = 16


def series(steps: int, seed: int = 0, channels: int = 2) -> torch.Tensor:
    """A smooth series: an autoregression of coefficient 0.95."""
    noise = np.random.default_rng(seed).standard_normal((channels, steps))
    values = np.zeros_like(noise)
    for i in range(1, steps):
        values[:, i] = 0.95 * values[:, i - 1] + 0.3 * noise[:, i]
    return torch.from_numpy(values)


def windows(values: torch.Tensor, stride: int) -> tuple[torch.Tensor, torch.Tensor]:
    starts = torch.arange(0, values.shape[1] - LENGTH + 1, stride)
    return torch.stack([values[:, s : s + LENGTH] for s in starts]), starts


def near_copies(train: torch.Tensor, scale: float) -> torch.Tensor:
    return train + scale * torch.randn(train.shape, generator=torch.Generator().manual_seed(1), dtype=train.dtype)


def test_without_overlap_it_is_the_f_mem_of_images() -> None:
    train, starts = windows(series(800), stride=LENGTH)
    samples = torch.cat([near_copies(train, 0.1), windows(series(800, seed=1), stride=LENGTH)[0]])
    found, plain = TrainingWindows(train, starts).euclidean(samples), measure_memorization(samples, train)
    assert 0.2 < found.f_mem < 0.8
    torch.testing.assert_close(found.distances, plain.distances, rtol=1e-12, atol=0)
    assert torch.equal(found.neighbours, plain.neighbours)


def test_copies_do_not_hide_behind_windows_that_overlap_theirs() -> None:
    """At stride 1 the second-nearest window of all is the copied one a step later; copies with a little noise then pass as new."""
    train, starts = windows(series(800), stride=1)
    samples = near_copies(train[::40], 0.12)
    assert measure_memorization(samples, train).f_mem < 0.1
    assert TrainingWindows(train, starts).euclidean(samples).f_mem > 0.8


def test_the_two_windows_share_no_step() -> None:
    train, starts = windows(series(600), stride=3)
    found = TrainingWindows(train, starts).euclidean(windows(series(600, seed=2), stride=5)[0])
    apart = starts[found.neighbours].diff(dim=1).abs()
    assert bool((apart >= LENGTH).all())


@pytest.mark.parametrize("stride", [1, 5, 16])
@pytest.mark.parametrize("radius", [0, 2, 6])
def test_pruned_neighbours_are_those_of_all_pairs(stride: int, radius: int) -> None:
    train, starts = windows(series(400), stride)
    samples = torch.cat([near_copies(train[::10], 0.1), windows(series(300, seed=3), stride=7)[0]])
    found, computed = TrainingWindows(train, starts).warped(samples, radius=radius)
    rows = len(train)
    distance = banded_dtw(samples.repeat_interleave(rows, 0), train.repeat(len(samples), 1, 1), radius=radius).view(-1, rows)
    for row, (first, second) in enumerate(found.neighbours.tolist()):
        apart = (starts - starts[first]).abs() >= LENGTH
        assert float(found.distances[row, 0]) == float(distance[row].min()) == float(distance[row, first])
        assert float(found.distances[row, 1]) == float(distance[row][apart].min()) == float(distance[row, second])
    assert 0 < computed <= 1


def test_pruning_spares_most_pairs_of_copies() -> None:
    train, starts = windows(series(4000), stride=LENGTH)
    _, computed = TrainingWindows(train, starts).warped(near_copies(train[:50], 0.05), radius=2)
    assert computed < 0.5


def test_a_copy_a_step_late_is_a_copy_when_warped() -> None:
    values = series(1600)
    train, starts = windows(values, stride=LENGTH)
    late = torch.stack([values[:, s + 1 : s + 1 + LENGTH] for s in starts[:40]])
    table = TrainingWindows(train, starts)
    assert table.warped(late, radius=2)[0].f_mem > table.euclidean(late).f_mem


def test_equal_windows_are_one() -> None:
    """A series that repeats: the other occurrence of a copied window must not hide the copy."""
    values = series(400).repeat(1, 2)
    train, starts = windows(values, stride=LENGTH)
    assert TrainingWindows(train, starts).euclidean(near_copies(train, 0.01)).f_mem == 1.0


def test_windows_that_all_overlap_are_refused() -> None:
    train, starts = windows(series(30), stride=1)
    with pytest.raises(ValueError, match="overlaps all others"):
        TrainingWindows(train, starts)


def test_a_window_that_is_not_finite_is_refused() -> None:
    train, starts = windows(series(200), stride=LENGTH)
    table, broken = TrainingWindows(train, starts), torch.full((1, 2, LENGTH), torch.nan, dtype=torch.float64)
    for measure in (table.euclidean, lambda x: table.warped(x, radius=1)):
        with pytest.raises(ValueError, match="not finite"):
            measure(broken)
