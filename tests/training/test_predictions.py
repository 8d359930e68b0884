"""What a run writes to be compared: the same points in every run of its kind, and nothing that changes the run."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tauscope.analysis.twins import read_predictions
from tauscope.experiments import ImageDdpmExperiment
from tauscope.metrics.agreement import cosines
from tauscope.specs import ImageDdpmSpec
from tauscope.specs.twins import twin_spec

CPU = torch.device("cpu")


def spec(**changes: Any) -> ImageDdpmSpec:
    network = {"base_width": 8, "multipliers": [1, 2], "blocks": 1, "attention": [False, True]}
    dataset = {"n_train": 16, "n_held_out": 64}
    return ImageDdpmSpec.model_validate({"dataset": dataset, "network": network, "batch_size": 8, "steps": 12, **changes})


def experiment(run: ImageDdpmSpec, folder: Path) -> ImageDdpmExperiment:
    return ImageDdpmExperiment(run, device=CPU, folder=folder)


class Answer(nn.Module):
    """Keeps what it is asked, and answers the question times a factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        self.asked, self.t = x_t, t
        return self.factor * x_t


def test_twins_are_asked_at_the_same_points_in_pixels_at_one_index(tmp_path: Path) -> None:
    asked = []
    for run in (spec(), twin_spec(spec()), spec(seed=77)):
        found, answer = experiment(run, tmp_path), Answer(1.0)
        found.predictions.answers(answer)
        alpha_bar = float(found.diffusion.alpha_bar[300])
        asked.append(answer.asked + alpha_bar**0.5 * found.images.mean)
        assert answer.t.tolist() == [300] * 64, "one point for each held-out image"
    torch.testing.assert_close(asked[0], asked[1], atol=1e-6, rtol=0)  # float32 sums in another order
    torch.testing.assert_close(asked[0], asked[2], atol=1e-6, rtol=0)


def test_the_answer_of_a_gaussian_of_the_data_is_what_is_taken_off(tmp_path: Path) -> None:
    found = experiment(spec(), tmp_path)
    held_out = 2 * found.images.held_out - 1
    alpha_bar = float(found.diffusion.alpha_bar[300])
    best = (1 - alpha_bar) ** 0.5 / (alpha_bar * float(held_out.var()) + 1 - alpha_bar)  # E[eps | x_t] for x_0 ~ N(0, s^2 I)
    answer = Answer(best)
    left = found.predictions.answers(answer)
    shift = alpha_bar**0.5 * (float(held_out.mean()) - found.images.mean)
    np.testing.assert_allclose(left, best * shift, atol=1e-5)  # Only its own units remain.


def test_an_untrained_run_and_its_twin_have_little_in_common_and_a_run_all_with_itself(tmp_path: Path) -> None:
    one, other = (experiment(run, tmp_path) for run in (spec(), twin_spec(spec())))
    mine, theirs = (run.predictions.answers(run.trainer.network) for run in (one, other))
    assert cosines(mine, mine).min() == pytest.approx(1, abs=1e-12)
    assert abs(cosines(mine, theirs).mean()) < 0.6


def test_a_network_that_is_no_longer_finite_leaves_no_file(tmp_path: Path) -> None:
    found = experiment(spec(), tmp_path)
    assert not found.predictions.write(Answer(float("nan")), tmp_path / "predictions/3.npz")
    assert list(tmp_path.iterdir()) == []


def test_to_write_predictions_changes_no_other_number_and_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    with_them, without = (experiment(spec(), tmp_path) for _ in range(2))
    for step in range(4):
        with_them.predictions.write(with_them.trainer.average.settle(), tmp_path / f"{step}.npz")
        assert torch.equal(with_them.trainer.advance(), without.trainer.advance())
    for run, name in ((with_them, "one"), (without, "other")):
        run.predictions.write(run.trainer.average.settle(), tmp_path / f"{name}.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()
    assert read_predictions((tmp_path / "one.npz").read_bytes()).shape == (64, 1, 8, 8)
