"""f_mem is 1 for copies and 0 for new images, and its neighbours are exact where exactness is hard."""

import numpy as np
import pytest
import torch

from tauscope.datasets import load_split
from tauscope.metrics import neighbours
from tauscope.metrics.memorization import measure_memorization
from tauscope.metrics.neighbours import nearest_distinct
from tauscope.results.verify import brute_force_two_nearest
from tauscope.specs.dataset import DatasetSpec


def digits(n_train: int) -> tuple[torch.Tensor, torch.Tensor]:
    split = load_split(DatasetSpec(n_train=n_train))
    return torch.from_numpy(split.train) / 255, torch.from_numpy(split.held_out) / 255


def test_f_mem_is_one_when_samples_copy_training_data() -> None:
    train, _ = digits(64)
    assert measure_memorization(train.repeat(2, 1, 1, 1), train).f_mem == 1.0


def test_f_mem_of_slightly_noisy_copies_is_one() -> None:
    train, _ = digits(64)
    assert measure_memorization(train + 0.01 * torch.randn_like(train), train).f_mem == 1.0


@pytest.mark.parametrize("n_train", [16, 64, 512])
def test_f_mem_is_nearly_zero_for_real_held_out_digits(n_train: int) -> None:
    train, held_out = digits(n_train)
    control = measure_memorization(held_out, train)
    assert control.f_mem < 0.005
    assert control.interval()[1] > 0


def test_a_duplicated_training_image_does_not_hide_its_copies() -> None:
    train, _ = digits(16)
    doubled = torch.cat([train, train[:4]])
    found = measure_memorization(train[:4] + 1e-3, doubled)
    assert found.f_mem == 1.0
    assert found.neighbours[:, 0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("noise", [0.0, 1e-6, 1e-3, 0.3])
def test_neighbours_equal_float64_brute_force_down_to_near_copies(noise: float) -> None:
    generator = torch.Generator().manual_seed(0)
    train = torch.rand(500, 1, 16, 16, generator=generator) * 0.2 + 0.8  # Far from the origin: the expansion loses digits.
    samples = train[:200] + noise * torch.randn(200, 1, 16, 16, generator=generator)
    found = measure_memorization(samples, train)
    distances, index = brute_force_two_nearest(samples.numpy(), train.numpy())
    np.testing.assert_array_equal(found.neighbours.numpy(), index)
    np.testing.assert_allclose(found.distances.numpy(), distances, rtol=1e-12, atol=1e-15)


def test_neighbours_are_exact_among_more_near_copies_than_there_are_candidates() -> None:
    """Twenty references closer to each other than float32 can tell by the expansion."""
    generator = torch.Generator().manual_seed(1)
    cluster = 100 + torch.rand(1, 64, generator=generator) + 1e-4 * torch.rand(20, 64, generator=generator)
    spread = 100 + torch.rand(300, 64, generator=generator)
    references = torch.cat([spread, cluster])
    queries = cluster[:5] + 1e-5
    found = nearest_distinct(queries, references)
    distances, index = brute_force_two_nearest(queries[:, None, None, :].numpy(), references[:, None, None, :].numpy())
    np.testing.assert_array_equal(found.index.numpy(), index)
    np.testing.assert_allclose(found.distance.numpy(), distances, rtol=1e-12)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(2)
    queries, references = torch.rand(70, 12, generator=generator), torch.rand(90, 12, generator=generator)
    whole = nearest_distinct(queries, references)
    monkeypatch.setattr(neighbours, "QUERY_BLOCK", 16)
    monkeypatch.setattr(neighbours, "REFERENCE_BLOCK", 7)
    monkeypatch.setattr(neighbours, "DIRECT_ELEMENTS", 50)
    blocked = nearest_distinct(queries, references)
    assert torch.equal(whole.index, blocked.index)
    assert torch.equal(whole.distance, blocked.distance)


def test_a_sample_that_is_not_a_number_is_refused_not_counted_as_new() -> None:
    train, _ = digits(16)
    broken = train.clone()
    broken[0, 0, 0, 0] = torch.nan
    with pytest.raises(ValueError, match="not finite"):
        measure_memorization(broken, train)


def test_one_distinct_training_image_is_too_few() -> None:
    with pytest.raises(ValueError, match="distinct"):
        measure_memorization(torch.zeros(3, 1, 2, 2), torch.zeros(5, 1, 2, 2))
