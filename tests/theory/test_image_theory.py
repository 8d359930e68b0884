"""What theory says of an image run's losses: closed forms, limits, labels, and that no other number moves."""

from typing import Any

import numpy as np
import pytest
import torch

from tauscope.analysis.metrics_info import metric_infos
from tauscope.analysis.summary import summarize_points
from tauscope.contracts.points import Point
from tauscope.experiments.image_measurement import ImageMeasurement
from tauscope.experiments.image_set import ImageSet
from tauscope.experiments.image_theory import ImageTheory
from tauscope.experiments.losses import draw_bank
from tauscope.experiments.theory import first_measured
from tauscope.networks import UNet
from tauscope.process import Diffusion
from tauscope.specs import ImageDdpmSpec

FIRST, SIZE = 5, 8


def spec(n_train: int, *, index: int = 100, **further: Any) -> ImageDdpmSpec:
    measurement = {"loss_indices": [index], "loss_pairs": 512, "schedule": {"kind": "explicit", "at": [FIRST, 50]}}
    document = {
        "dataset": {"n_train": n_train, "n_held_out": 500},
        "network": {"base_width": 8, "multipliers": [1], "blocks": 1, "attention": [False]},
        "measurement": measurement | further.pop("measurement", {}),
        "onsets": {"tau_gen": {"metric": f"loss_held_out@{index}", "level": 0.5}},
        "steps": 50,
        **further,
    }
    return ImageDdpmSpec.model_validate(document)


def smooth_images(count: int, seed: int) -> torch.Tensor:
    """White noise through a filter that is diagonal in Fourier: the coefficients are independent Gaussians."""
    white = np.fft.fft2(np.random.default_rng(seed).normal(size=(count, 1, SIZE, SIZE)), norm="ortho")
    return torch.from_numpy(np.fft.ifft2(white * _gain(), norm="ortho").real / 2 + 0.5)


def _gain() -> np.ndarray:
    k = SIZE * np.fft.fftfreq(SIZE)
    return 1 / (1 + np.hypot(k[:, None], k[None, :]))


def images(n_train: int) -> ImageSet:
    return ImageSet(smooth_images(n_train, 1), smooth_images(500, 2))


def theory(chosen: ImageDdpmSpec, known: ImageSet) -> dict[str, Point]:
    return {point.metric: point for point in ImageTheory(chosen, known, Diffusion.of(chosen.process)).measured(FIRST)}


def test_one_training_image_is_always_the_answer_and_its_losses_follow() -> None:
    chosen, one = spec(2), smooth_images(1, 1)
    known = ImageSet(torch.cat([one, one]), smooth_images(500, 2))
    found = theory(chosen, known)
    diffusion = Diffusion.of(chosen.process)
    alpha_bar = float(diffusion.alpha_bar[100])
    apart = (known.to_model(known.held_out) - known.to_model(one)).square().flatten(1).mean(1).numpy()
    expected = alpha_bar / (1 - alpha_bar) * np.resize(apart, 512)
    # The noised pairs are float32.
    assert found["theory_loss_empirical_train@100"].value == pytest.approx(0, abs=1e-10)
    assert found["theory_loss_empirical_held_out@100"].value == pytest.approx(expected.mean(), rel=1e-5)
    assert found["theory_loss_empirical_held_out@100"].count == 512


def test_a_memorizer_pays_nothing_on_its_images_at_little_noise_and_as_much_as_anybody_at_much() -> None:
    known = images(32)
    little, much = (theory(spec(32, index=index), known) for index in (10, 999))
    assert little["theory_loss_empirical_train@10"].value == pytest.approx(0, abs=1e-6)
    assert (little["theory_loss_empirical_held_out@10"].low or 0) > 40
    for point in much.values():
        assert point.low is not None and point.high is not None
        # alpha_bar is 4e-5: predicting x_t itself leaves about that.
        assert 0 <= point.low <= point.high < 1e-3


def test_the_filter_is_wieners_on_images_whose_fourier_coefficients_are_independent() -> None:
    chosen, known = spec(400), images(400)
    point = theory(chosen, known)["theory_loss_linear_held_out@100"]
    alpha_bar = float(Diffusion.of(chosen.process).alpha_bar[100])
    noise, power = (1 - alpha_bar) / alpha_bar, _gain() ** 2
    expected = (power * noise / (power + noise)).mean() / noise
    # The power is estimated on 500 images, which moves the filter's own loss by under 1 %.
    assert point.low is not None and point.high is not None
    assert 0.99 * point.low <= expected <= 1.01 * point.high


def test_no_other_answer_has_a_smaller_training_loss() -> None:
    chosen, known = spec(64, index=400), images(64)
    floor = theory(chosen, known)["theory_loss_empirical_train@400"]
    diffusion = Diffusion.of(chosen.process)
    bank = draw_bank(chosen, known, diffusion, "train", index=400, pairs=512)
    exact = ImageTheory(chosen, known, diffusion)._memorizer
    assert floor.value is not None and floor.value > 0.01
    for scale in (0.9, 1.1):
        assert bank.losses(lambda x, t, scale=scale: scale * exact(x, t)).mean() > floor.value  # type: ignore[misc]


def test_a_network_that_is_told_labels_is_held_against_the_memorizer_of_each_label() -> None:
    labels = torch.arange(40) % 2
    held_out = torch.arange(500) % 2
    known = ImageSet(smooth_images(40, 1), smooth_images(500, 2), labels, held_out)
    told = spec(40, index=300, network={"base_width": 8, "multipliers": [1], "blocks": 1, "attention": [False], "classes": "labels"})
    conditional = theory(told, known)
    mean = known.mean
    for label in (0, 1):
        known_alone = ImageSet(known.train[labels == label], known.held_out)
        alone = ImageTheory(told, known_alone, Diffusion.of(told.process))
        exact = ImageTheory(told, known, Diffusion.of(told.process))
        x_t, t = torch.randn(7, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(label)), torch.full((7,), 300)
        shifted = known_alone.mean - mean  # Model units are about the mean of the training images.
        expected = alone._memorizer(x_t - shifted * float(Diffusion.of(told.process).alpha_bar[300]) ** 0.5, t)
        assert torch.allclose(exact._memorizer(x_t, t, torch.full((7,), label)), expected, atol=1e-6)
    assert conditional["theory_loss_empirical_train@300"].value is not None
    unseen = theory(told, ImageSet(known.train, known.held_out, labels, held_out + 5))
    assert unseen["theory_loss_empirical_held_out@300"].value is None
    assert unseen["theory_loss_empirical_held_out@300"].reason == "no training point has label 5, 6"


def test_it_is_measured_once_and_no_other_number_moves() -> None:
    grid = {"loss_grid": {"count": 4, "pairs": 64}}
    chosen, known = spec(16, measurement=grid), images(16)
    network = UNet(1, 8, (1,), (False,), blocks=1, heads=4, dropout=0.0, diffusion_steps=1000)
    measurement = ImageMeasurement(chosen, ImageSet(known.train.float(), known.held_out.float()), Diffusion.of(chosen.process))
    first, later = (measurement.without_samples(network, step, {}) for step in (FIRST, 50))
    names = {point.metric for point in first}
    assert names - {point.metric for point in later} == {name for name in metric_infos(chosen) if name.startswith("theory_")}
    assert len([name for name in names if name.startswith("theory_grid_")]) == 12
    without = [point for point in first if not point.metric.startswith("theory_")]
    assert [point.value for point in without] == [point.value for point in later]
    assert names <= set(metric_infos(chosen))
    _, final = summarize_points(chosen, first)
    assert not [name for name in final if name.startswith("theory_")]


def test_a_run_that_forks_is_told_at_its_own_first_step() -> None:
    assert first_measured(spec(16)) == FIRST
    assert first_measured(spec(16, fork={"step": FIRST, "path": "5.json"})) == 50
    early = {"loss_schedule": {"kind": "explicit", "at": [2, 9]}}
    assert first_measured(spec(16, measurement=early)) == 2
