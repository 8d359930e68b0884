"""f_mem is 1 for copies and 0 for new images, and its neighbours are exact where exactness is hard."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from tauscope.datasets import load_split
from tauscope.metrics import distinct_rows, neighbours
from tauscope.metrics.intervals import clopper_pearson
from tauscope.metrics.memorization import measure_memorization
from tauscope.metrics.neighbours import References, nearest_distinct
from tauscope.results.verify import brute_force_two_nearest
from tauscope.specs.copying import copy_criteria
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


def half_copies(n_train: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Held-out digits drawn towards a training digit by shares from 0 to 1: gap ratios of every size."""
    train, held_out = digits(n_train)
    share = torch.linspace(0, 1, 400)[:, None, None, None]
    return share * train.repeat(400 // n_train + 1, 1, 1, 1)[:400] + (1 - share) * held_out[:400], train


@pytest.mark.parametrize("n_train", [16, 64, 256])
def test_the_published_expression_gives_the_same_f_mem(n_train: int) -> None:
    """A broadcast of all squared differences, its two smallest, their roots, and the share of ratios below 1/3."""
    images, train = half_copies(n_train)
    squared = ((images.flatten(1)[:, None, :] - train.flatten(1)[None, :, :]) ** 2).sum(-1)
    two = torch.topk(squared, 2, dim=1, largest=False).values.sqrt()
    published = (two[:, 0] / two[:, 1] < 1 / 3).float().mean().item()
    assert 0.1 < published < 0.9
    assert measure_memorization(images, train).f_mem == pytest.approx(published, abs=1e-7)


@pytest.mark.parametrize("step", [1e-4, 1e-2])
def test_scikit_learn_finds_the_same_neighbours_at_the_same_distances(step: float) -> None:
    images, train = half_copies(256)
    images = torch.cat([images, train[:50] + step * torch.randn(50, 1, 8, 8, generator=torch.Generator().manual_seed(3))])
    brute = NearestNeighbors(n_neighbors=50, algorithm="brute", metric="sqeuclidean").fit(train.flatten(1).double().numpy())
    squared, index = brute.kneighbors(images.flatten(1).double().numpy())
    found = nearest_distinct(images.flatten(1), train.flatten(1), k=50)
    # Theirs is the expansion in float64, which leaves 1e-13 of the squared norms; pixels are sixteenths, so some distances are equal.
    np.testing.assert_allclose(found.distance.numpy() ** 2, squared, rtol=1e-9, atol=1e-11)
    same = found.index.numpy() == index
    assert same[:, 0].all()
    assert same.mean() > 0.98


def test_every_criterion_has_its_share_and_interval() -> None:
    images, train = half_copies(64)
    found = measure_memorization(images, train)
    shares = {name: share for name, share in found.shares().items() if share is not None}
    assert tuple(shares) == copy_criteria(64)
    ratio = found.distances[:, 0] / found.distances[:, 1]
    for name, threshold in {"f_mem": Fraction(1, 3), "f_mem_quarter": Fraction(1, 4), "f_mem_half": Fraction(1, 2)}.items():
        copies = int((ratio < float(threshold)).sum())
        assert shares[name] == (copies / 400, *clopper_pearson(copies, 400))
    assert shares["f_mem_quarter"] < shares["f_mem"] < shares["f_mem_half"]


def test_the_adaptive_distance_is_that_to_the_nearest_over_half_the_mean_of_fifty() -> None:
    images, train = half_copies(64)
    found = measure_memorization(images, train)
    distances = np.sort(np.linalg.norm(images.flatten(1).double().numpy()[:, None] - train.flatten(1).double().numpy(), axis=2))
    adaptive = distances[:, 0] / (0.5 * distances[:, :50].mean(1))
    assert found.adaptive_ratio is not None
    np.testing.assert_allclose(found.adaptive_ratio.numpy(), adaptive, rtol=1e-12, atol=1e-15)
    share = found.shares()["f_mem_adaptive"]
    assert share is not None
    assert share[0] == (adaptive < 1).mean()


def test_fewer_than_fifty_distinct_training_images_have_no_adaptive_distance() -> None:
    train, held_out = digits(49)
    found = measure_memorization(held_out[:10], train.repeat(2, 1, 1, 1))
    assert found.adaptive_ratio is None
    assert found.shares()["f_mem_adaptive"] is None
    assert "f_mem_adaptive" not in copy_criteria(49)


def test_features_have_an_f_mem_of_their_own() -> None:
    images, train = half_copies(64)
    turned = torch.linalg.qr(torch.randn(64, 64, generator=torch.Generator().manual_seed(4))).Q

    def features(pixels: torch.Tensor) -> torch.Tensor:
        return pixels.flatten(1) @ turned

    # A rotation keeps every distance, and so every copy.
    assert measure_memorization(features(images), features(train)).f_mem == measure_memorization(images, train).f_mem


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
    monkeypatch.setattr(neighbours, "DOUBTFUL_PAIRS", 200)
    blocked = nearest_distinct(queries, references)
    assert torch.equal(whole.index, blocked.index)
    assert torch.equal(whole.distance, blocked.distance)


def test_candidates_in_blocks_with_repeats_are_those_of_brute_force(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole digits have equal distances and repeats, so that ties fall on the borders of blocks and of candidates."""
    monkeypatch.setattr(neighbours, "QUERY_BLOCK", 64)
    monkeypatch.setattr(neighbours, "REFERENCE_BLOCK", 100)
    generator = torch.Generator().manual_seed(5)
    references = torch.randint(0, 3, (350, 6), generator=generator).float()
    queries = torch.randint(0, 3, (200, 6), generator=generator).float()
    found = nearest_distinct(queries, references)
    distances, index = brute_force_two_nearest(queries[:, None, None, :].numpy(), references[:, None, None, :].numpy())
    np.testing.assert_array_equal(found.index.numpy(), index)
    np.testing.assert_allclose(found.distance.numpy(), distances, rtol=4e-16)  # One unit in the last place: two libraries' roots.


def test_references_once_prepared_are_searched_again_and_again() -> None:
    train, held_out = digits(512)
    references = References(train.flatten(1))
    for part in held_out.split(100):
        again, anew = measure_memorization(part, references), measure_memorization(part, train)
        assert torch.equal(again.neighbours, anew.neighbours)
        assert torch.equal(again.distances, anew.distances)


def test_bytes_of_a_memory_map_are_searched_as_the_pixels_that_they_mean(tmp_path: Path) -> None:
    split = load_split(DatasetSpec(n_train=512))
    np.save(tmp_path / "train.npy", split.train.astype(np.uint8))
    mapped = torch.from_numpy(np.load(tmp_path / "train.npy", mmap_mode="c"))
    train, held_out = digits(512)
    of_bytes = measure_memorization(held_out, References(mapped.flatten(1)))
    of_floats = measure_memorization(held_out, train)
    assert torch.equal(of_bytes.neighbours, of_floats.neighbours)
    assert torch.equal(of_bytes.distances, of_floats.distances)


@pytest.mark.parametrize("precision", ["high", "medium"])
def test_products_of_less_precision_find_the_same_neighbours(precision: str) -> None:
    train, held_out = digits(512)
    exact = measure_memorization(held_out, train)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        found = measure_memorization(held_out, train)
    finally:
        torch.set_float32_matmul_precision(before)
    assert torch.equal(found.neighbours, exact.neighbours)
    assert torch.equal(found.distances, exact.distances)


@pytest.mark.parametrize("one_dnn", [True, False])
def test_products_keep_within_the_bound_that_neighbours_rest_on(one_dnn: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dot product of d terms in float32 is wrong by d eps |x||y| / 2 at most, in whatever order it is summed."""
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: one_dnn)
    generator = torch.Generator().manual_seed(7)
    for n_queries, n_references, dim in ((1, 1, 1), (3, 2, 7), (300, 70, 1024), (5, 400, 33)):
        x, y = torch.randn(n_queries, dim, generator=generator), torch.rand(n_references, dim, generator=generator)
        bound = 0.5 * dim * 2.0**-23 * x.norm(dim=1)[:, None].double() * y.norm(dim=1).double() + 1e-30
        assert bool(((neighbours.products(x, y).double() - x.double() @ y.double().T).abs() <= bound).all())
    assert neighbours.products(torch.zeros(0, 3), torch.zeros(2, 3)).shape == (0, 2)


def test_neighbours_without_one_dnn_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    images, train = half_copies(256)
    here = measure_memorization(images, train)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    elsewhere = measure_memorization(images, train)
    assert torch.equal(here.neighbours, elsewhere.neighbours)
    assert torch.equal(here.distances, elsewhere.distances)


@pytest.mark.parametrize("count", [1, 8, 56])
def test_the_smallest_of_a_row_are_found_whatever_its_width(count: int) -> None:
    """Of few whole numbers, so that most are equal, with infinities as repeats have them."""
    for width in (1, 7, 56, 57, 900, 2500):
        values = torch.randint(0, 40, (20, width), generator=torch.Generator().manual_seed(width)).float()
        values[values > 35] = torch.inf
        near, place = neighbours._smallest(values, count)
        assert torch.equal(near.sort(1).values, values.sort(1).values[:, :count])
        assert torch.equal(values.gather(1, place), near)
        assert all(len(row.unique()) == len(row) for row in place)


def test_unequal_rows_of_one_hash_are_not_taken_for_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distinct_rows, "_hashes", lambda rows: torch.zeros(len(rows), dtype=torch.long))
    rows = torch.tensor([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [0.0, 1.0], [3.0, 4.0], [-0.0, 1.0]])
    assert distinct_rows.first_of_equals(rows).tolist() == [0, 1, 3]


def test_repeats_are_those_of_a_sort() -> None:
    rows = torch.randint(0, 3, (500, 4), generator=torch.Generator().manual_seed(6)).float() - 1
    _, first = np.unique(rows.numpy(), axis=0, return_index=True)
    assert distinct_rows.first_of_equals(rows).tolist() == sorted(first.tolist())


def test_a_training_image_that_is_not_a_number_is_refused() -> None:
    train, held_out = digits(16)
    train[3, 0, 2, 2] = torch.inf
    with pytest.raises(ValueError, match="reference holds a number that is not finite"):
        measure_memorization(held_out, train)


def test_a_sample_that_is_not_a_number_is_refused_not_counted_as_new() -> None:
    train, _ = digits(16)
    broken = train.clone()
    broken[0, 0, 0, 0] = torch.nan
    with pytest.raises(ValueError, match="not finite"):
        measure_memorization(broken, train)


def test_one_distinct_training_image_is_too_few() -> None:
    with pytest.raises(ValueError, match="distinct"):
        measure_memorization(torch.zeros(3, 1, 2, 2), torch.zeros(5, 1, 2, 2))
