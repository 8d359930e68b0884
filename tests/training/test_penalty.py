"""The penalty on high frequencies: its value and its best answer in closed form, and a training that has it only where it is asked."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from tauscope.experiments.image_ddpm import ImageDdpmExperiment
from tauscope.process import Diffusion, linear_schedule
from tauscope.specs import ImageDdpmSpec, apply_settings, load_preset
from tauscope.specs.interventions import FrequencyPenaltySpec
from tauscope.training.penalty import FrequencyPenalty
from tests.tiny import PRESET, tiny_training

SIZE = 8


def diffusion() -> Diffusion:
    return linear_schedule(1000, beta_min=1e-4, beta_max=2e-2, first_trained_index=1)


def wave(k: int) -> Tensor:
    """One real Fourier mode of an 8x8 image, of mean square 1/2."""
    return torch.cos(2 * torch.pi * k * torch.arange(SIZE) / SIZE).double().expand(1, 1, SIZE, SIZE)


def eps_of(x0_hat: Tensor, x_t: Tensor, alpha_bar: float) -> Tensor:
    return (x_t - alpha_bar**0.5 * x0_hat) / (1 - alpha_bar) ** 0.5


@pytest.mark.parametrize("index", [20, 200, 600])
@pytest.mark.parametrize(("k", "gain"), [(1, 1.0), (2, 0.5), (3, 0.0)])
def test_the_best_answer_to_a_wave_is_the_wave_over_one_and_the_weight(k: int, gain: float, index: int) -> None:
    """The loss SNR |x_0 - x0_hat|^2 + w min(1, SNR) (1 - gain)^2 |x0_hat|^2 is least at x_0 / (1 + w min(1, 1/SNR) (1 - gain)^2)."""
    process, weight = diffusion(), 3.0
    # Training computes alpha_bar in float32; so does the truth here, and the gradient is small beside that of x0_hat = x_0.
    alpha_bar = float(process.alpha_bar[index].float())
    snr = alpha_bar / (1 - alpha_bar)
    penalty = FrequencyPenalty(FrequencyPenaltySpec(cutoff=2.0, edge=1.0, weight=weight), process)
    x_t, t = torch.randn(1, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0), dtype=torch.float64), torch.tensor([index])

    def gradient(share: float) -> Tensor:
        eps_hat = eps_of(share * wave(k), x_t, alpha_bar).requires_grad_()
        loss = (eps_hat - eps_of(wave(k), x_t, alpha_bar)).square().mean() + penalty(x_t, t, eps_hat)
        (found,) = torch.autograd.grad(loss, eps_hat)
        return found.norm()

    best = 1 / (1 + weight * min(1.0, 1 / snr) * (1 - gain) ** 2)
    assert float(gradient(best)) < 1e-5 * float(gradient(best - 0.5))
    value = float(penalty(x_t, t, eps_of(wave(k), x_t, alpha_bar)))
    assert value == pytest.approx(weight * min(1.0, snr) * (1 - gain) ** 2 / 2, rel=1e-4, abs=1e-9)


def tiny(folder: Path, **further: object) -> ImageDdpmExperiment:
    spec = apply_settings(load_preset(PRESET).sweep, tiny_training(runs=1, steps=4, checkpoints=2) | further).resolve()[0].spec
    assert isinstance(spec, ImageDdpmSpec)
    return ImageDdpmExperiment(spec, device=torch.device("cpu"), folder=folder)


def test_a_training_step_descends_on_the_sum_whatever_the_network_predicts(tmp_path: Path) -> None:
    asked = {"cutoff": 1.0, "edge": 0.0, "weight": 2.0}
    plain, penalized = tiny(tmp_path), tiny(tmp_path, penalty=asked)
    first, second = plain.trainer.advance(), penalized.trainer.advance()
    assert float(second) > float(first) > 0
    assert not torch.equal(next(plain.trainer.network.parameters()), next(penalized.trainer.network.parameters()))
    other = {"preconditioning": False, "parameterization": "v"}
    learns_v, penalized_v = tiny(tmp_path, **other), tiny(tmp_path, penalty=asked, **other)
    assert float(penalized_v.trainer.advance()) > float(learns_v.trainer.advance())


def test_a_run_without_it_is_of_the_same_configuration_as_before_it_was_there(tmp_path: Path) -> None:
    later = ImageDdpmSpec.LATER
    assert (later["penalty"], later["network.fourier"]) == (None, None)
    assert tiny(tmp_path).trainer.penalty is None
