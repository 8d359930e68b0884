"""The error by Fourier band and by principal component: Parseval, a Gaussian's closed form, a denoiser of known frequency response."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tauscope.analysis.metrics_info import metric_infos
from tauscope.contracts.points import Point
from tauscope.experiments.image_measurement import ImageMeasurement
from tauscope.experiments.image_set import ImageSet
from tauscope.metrics.spectrum import ComponentGroups, FourierBands
from tauscope.process import Diffusion
from tauscope.specs import ImageDdpmSpec
from tauscope.specs.spectrum import SpectrumSpec

INDEX, SIZE, BANDS, GROUPS = 100, 8, 4, 3
ENDS = SpectrumSpec(bands=BANDS).edges(SIZE)


def spec(n_train: int, *, pairs: int = 512, **measurement: Any) -> ImageDdpmSpec:
    return ImageDdpmSpec.model_validate(
        {
            "dataset": {"n_train": n_train, "n_held_out": 500},
            "network": {"base_width": 8, "multipliers": [1, 2], "blocks": 1, "attention": [False, True]},
            "measurement": {
                "loss_indices": [INDEX],
                "loss_pairs": pairs,
                "spectrum": {"index": INDEX, "bands": BANDS, "components": GROUPS},
                **measurement,
            },
            "onsets": {"tau_gen": {"metric": f"loss_held_out@{INDEX}", "level": 0.5}},
        }
    )


def gaussian_images(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Images from a Gaussian whose 64 principal variances fall as rank^-1.5, along axes drawn once; and its covariance, in model units."""
    axes = np.linalg.qr(np.random.default_rng(7).normal(size=(64, 64)))[0]
    variance = 2.0 * np.arange(1, 65) ** -1.5
    x = (np.random.default_rng(seed).normal(size=(count, 64)) * np.sqrt(variance)) @ axes.T
    return torch.from_numpy((x / 2 + 0.5).reshape(count, 1, 8, 8)), torch.from_numpy(axes * variance @ axes.T)


class Denoiser(nn.Module):
    """An eps-predictor from a rule for x0_hat, a function of x_t / sqrt(alpha_bar)."""

    def __init__(self, alpha_bar: float, x0_hat: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.alpha_bar, self.x0_hat = alpha_bar, x0_hat

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        return (x_t - self.alpha_bar**0.5 * self.x0_hat(x_t / self.alpha_bar**0.5)) / (1 - self.alpha_bar) ** 0.5


def measured(chosen: ImageDdpmSpec, images: ImageSet, x0_hat: Callable[[Tensor], Tensor], step: int = 7) -> dict[str, Point]:
    diffusion = Diffusion.of(chosen.process)
    network = Denoiser(float(diffusion.alpha_bar[INDEX]), x0_hat)
    points = ImageMeasurement(chosen, images, diffusion).without_samples(network, step, {})
    return {point.metric: point for point in points if not point.metric.startswith("theory_")}  # What the network answers for.


def noise_of(chosen: ImageDdpmSpec) -> float:
    alpha_bar = float(Diffusion.of(chosen.process).alpha_bar[INDEX])
    return (1 - alpha_bar) / alpha_bar


@pytest.mark.parametrize("n_train", [12, 100])
def test_the_parts_of_an_error_add_up_to_it_in_both_bases(n_train: int) -> None:
    rng = np.random.default_rng(0)
    train, errors = rng.normal(size=(n_train, 2, 8, 8)), rng.normal(size=(5, 2, 8, 8))
    asked = SpectrumSpec(bands=BANDS, components=GROUPS)
    bands = FourierBands.of((2, 8, 8), lambda radius: asked.band_of(radius, ENDS), BANDS)
    components = ComponentGroups.of(train, asked.group_of, GROUPS)
    whole = np.square(errors).sum((1, 2, 3))
    np.testing.assert_allclose(bands.energy(errors).sum(1), whole, rtol=1e-12)
    np.testing.assert_allclose(components.energy(errors).sum(1), whole, rtol=1e-12)


def test_a_wave_lies_in_the_band_of_its_frequency_and_no_other() -> None:
    bands = FourierBands.of((1, 8, 8), lambda radius: SpectrumSpec.band_of(radius, ENDS), BANDS)
    across, down = np.meshgrid(np.arange(8), np.arange(8))
    for (a, b), band in {(0, 0): 0, (1, 0): 0, (1, 1): 1, (0, 2): 2, (2, 1): 2, (2, 2): 3, (4, 4): 3}.items():
        energy = bands.energy(np.cos(2 * np.pi * (a * across + b * down) / 8)[None, None])[0]
        assert energy[band] == pytest.approx(energy.sum(), rel=1e-12)


def test_the_errors_of_the_bands_add_up_to_the_loss_on_the_same_pairs() -> None:
    images = ImageSet(gaussian_images(64, 1)[0].float(), gaussian_images(500, 2)[0].float())
    chosen = spec(64, pairs=64)
    points = measured(chosen, images, lambda x: 0.8 * x)
    about = (images.to_model(images.held_out) - images.to_model(images.train).mean(0))[:64].double().numpy()
    for part, groups in {
        "band": FourierBands.of((1, 8, 8), lambda radius: SpectrumSpec.band_of(radius, ENDS), BANDS),
        "pc": ComponentGroups.of(images.to_model(images.train).double().numpy(), SpectrumSpec().group_of, GROUPS),
    }.items():
        energy = groups.energy(about).mean(0)
        found = [points.get(f"error_{part}_held_out@{INDEX}:{k}") for k in range(len(energy))]
        error = sum(point.value * energy[k] for k, point in enumerate(found) if point is not None and point.value is not None)
        loss = points[f"loss_held_out@{INDEX}"].value
        assert loss is not None
        # The error is x0's, the loss eps's: float32 differences, so equal to its rounding.
        assert error == pytest.approx(64 * noise_of(chosen) * loss, rel=1e-5)


def test_the_optimal_denoiser_of_a_gaussian_errs_by_its_closed_form_in_every_group_and_meets_the_linear_filter() -> None:
    images = ImageSet(gaussian_images(3000, 1)[0], gaussian_images(500, 2)[0])
    chosen, covariance = spec(3000, pairs=500), gaussian_images(1, 1)[1]
    noise, middle = noise_of(chosen), images.to_model(torch.full((64,), 0.5, dtype=torch.float64))
    gain = torch.linalg.solve(covariance + noise * torch.eye(64, dtype=torch.float64), covariance)
    points = measured(chosen, images, lambda x: ((x.double().flatten(1) - middle) @ gain + middle).reshape(x.shape).to(x.dtype))
    for k, ranks in enumerate((range(1, 5), range(5, 17), range(17, 65))):
        variance = np.array([2.0 * rank**-1.5 for rank in ranks])
        exact = (variance * noise / (variance + noise)).sum() / variance.sum()
        found, linear = points[f"error_pc_held_out@{INDEX}:{k}"], points[f"error_pc_linear@{INDEX}:{k}"]
        assert found.value is not None
        assert found.low is not None
        assert found.high is not None
        # The true mean and axes stand beside those of 3,000 images; the interval is 95 %, one group in twenty may just miss it.
        width = found.high - found.low
        assert found.low - width / 2 < exact < found.high + width / 2
        assert width < 0.25 * exact
        assert linear.value == pytest.approx(exact, rel=0.05)
    assert f"error_pc_held_out@{INDEX}:{GROUPS}" not in points  # Nothing lies outside the span of 3,000 images of 64 pixels.


def test_a_denoiser_that_passes_one_band_alone_errs_by_the_noise_there_and_by_everything_elsewhere() -> None:
    images = ImageSet(gaussian_images(64, 1)[0], gaussian_images(500, 2)[0])
    chosen, mean = spec(64), images.to_model(images.train).mean(0)
    bands = FourierBands.of((1, 8, 8), lambda radius: SpectrumSpec.band_of(radius, ENDS), BANDS)
    response = torch.from_numpy((bands.part == 2).reshape(8, 8).astype(float))
    points = measured(chosen, images, lambda x: mean + torch.fft.ifft2(torch.fft.fft2(x - mean) * response).real)
    about = (images.to_model(images.held_out) - mean).double().numpy()
    energy = bands.energy(about[np.arange(512) % 500]).mean(0)
    for k in range(BANDS):
        expected = noise_of(chosen) * (bands.part == 2).sum() / energy[2] if k == 2 else 1.0
        found = points[f"error_band_held_out@{INDEX}:{k}"]
        # In the band it is noise of 12 coefficients on 512 pairs: 2 / sqrt(12 * 512) is 3 % at 95 %, doubled here.
        assert found.value == pytest.approx(expected, rel=0.06 if k == 2 else 1e-6)


def test_the_linear_filter_itself_is_at_its_own_error_in_every_band_without_any_error_of_chance() -> None:
    images = ImageSet(gaussian_images(64, 1)[0], gaussian_images(500, 2)[0])
    chosen, mean = spec(64), images.to_model(images.train).mean(0)
    about = images.to_model(images.held_out) - mean
    power = torch.fft.fft2(about, norm="ortho").abs().square().mean(0)
    gain = power / (power + noise_of(chosen))
    points = measured(chosen, images, lambda x: mean + torch.fft.ifft2(torch.fft.fft2(x - mean) * gain).real)
    for k in range(BANDS):
        ratio, error = points[f"error_band_ratio@{INDEX}:{k}"], points[f"error_band_held_out@{INDEX}:{k}"]
        linear = points[f"error_band_linear@{INDEX}:{k}"]
        # The noise of a pair is float32 where it is drawn; the interval alone holds chance, and in the ratio there is none.
        assert (ratio.value, ratio.low, ratio.high) == (pytest.approx(1, abs=1e-5),) * 3
        assert error.low is not None
        assert error.high is not None
        assert linear.value is not None
        width = error.high - error.low
        assert error.low - width / 2 < linear.value < error.high + width / 2
        assert (linear.low, linear.high, linear.count) == (None, None, 500)


def test_few_training_images_leave_a_group_outside_their_span_that_only_held_out_images_err_in() -> None:
    images = ImageSet(gaussian_images(12, 1)[0].float(), gaussian_images(500, 2)[0].float())
    chosen = spec(12)
    points = measured(chosen, images, lambda x: 0.9 * x)
    outside = points[f"error_pc_held_out@{INDEX}:{GROUPS}"]
    assert outside.value is not None
    assert outside.count == 512
    assert f"error_pc_train@{INDEX}:{GROUPS}" not in points
    # Eleven components: the third group, from 17 on, has none.
    assert {name for name in points if "_pc_" in name and name.endswith(":2")} == set()
    assert set(points) <= set(metric_infos(chosen))
    assert "outside the span" in metric_infos(chosen)[outside.metric].label


def test_a_network_that_is_no_longer_finite_gives_missing_points_with_the_reason() -> None:
    images = ImageSet(gaussian_images(64, 1)[0].float(), gaussian_images(500, 2)[0].float())
    chosen = spec(64, loss_grid={"count": 3, "pairs": 32}, schedule={"kind": "explicit", "at": [7]})
    points = measured(chosen, images, lambda x: x * float("nan"))
    lost = [point for name, point in points.items() if "_linear@" not in name]
    assert len(lost) > 20
    assert {(point.value, point.reason) for point in lost} == {(None, "diverged")}


def test_losses_over_all_noise_levels_are_measured_where_samples_are_and_are_those_of_a_known_denoiser() -> None:
    images = ImageSet(gaussian_images(64, 1)[0].float(), gaussian_images(500, 2)[0].float())
    chosen = spec(64, loss_grid={"count": 5, "pairs": 400}, schedule={"kind": "explicit", "at": [7]})
    diffusion = Diffusion.of(chosen.process)
    measurement = ImageMeasurement(chosen, images, diffusion)

    class Nothing(nn.Module):
        def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
            return torch.zeros_like(x_t)

    assert not [point for point in measurement.without_samples(Nothing(), 6, {}) if point.metric.startswith("grid_")]
    points = {point.metric: point for point in measurement.without_samples(Nothing(), 7, {}) if point.metric.startswith("grid_")}
    indices = chosen.measurement.loss_grid.indices(chosen.process) if chosen.measurement.loss_grid else ()
    assert (indices[0], indices[-1], len(indices)) == (1, 999, 5)
    assert set(points) == {f"grid_{what}@{i}" for what in ("train", "held_out", "gap") for i in indices}
    for i in indices:
        loss = points[f"grid_held_out@{i}"]
        assert loss.low is not None
        assert loss.high is not None
        # The mean of eps^2 over 400 pairs of 64 pixels, 1 exactly; its 95 % interval, doubled, misses once in ten thousand times.
        assert loss.low - (loss.high - loss.low) / 2 < 1 < loss.high + (loss.high - loss.low) / 2
        assert loss.high - loss.low == pytest.approx(2 * 1.96 * (2 / (400 * 64)) ** 0.5, rel=0.15)
        assert loss.count == 400
    again = {point.metric: point for point in measurement.without_samples(Nothing(), 7, {}) if point.metric.startswith("grid_")}
    assert again == points


def test_a_spec_without_either_measures_what_it_did_and_one_with_both_changes_no_other_number() -> None:
    images = ImageSet(gaussian_images(16, 1)[0].float(), gaussian_images(500, 2)[0].float())
    both = spec(16, pairs=32, loss_grid={"count": 3, "pairs": 32}, schedule={"kind": "explicit", "at": [7]})
    plain = ImageDdpmSpec.model_validate(
        both.model_dump() | {"measurement": both.measurement.model_dump() | {"spectrum": None, "loss_grid": None}}
    )
    found, before = measured(both, images, lambda x: 0.7 * x), measured(plain, images, lambda x: 0.7 * x)
    assert set(before) == {f"loss_{what}@{INDEX}" for what in ("train", "held_out", "gap")}
    assert {name: point for name, point in found.items() if name in before} == before
    assert set(metric_infos(both)) - set(metric_infos(plain)) >= set(found) - set(before)


@pytest.mark.parametrize(
    ("spectrum", "words"),
    [({"index": 1000}, "never trained .* Choose from 1 to 999"), ({"bands": 8}, "band 1 holds no frequency .* Use fewer bands")],
)
def test_a_spectrum_that_cannot_be_measured_is_refused_with_a_remedy(spectrum: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        spec(16, spectrum=spectrum)
