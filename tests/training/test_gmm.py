"""Runs on mixtures: what is drawn, measured, described, resumed, and what the exact scores themselves would measure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tauscope.analysis.metrics_info import metric_infos
from tauscope.contracts.points import Point
from tauscope.experiments.gmm import GmmExperiment
from tauscope.experiments.mixture_set import MixtureSet, mixture_of
from tauscope.networks.mlp import Mlp
from tauscope.process import Diffusion
from tauscope.results.verify import recompute
from tauscope.specs.gmm import GmmConditionalSpec, GmmSpec
from tauscope.specs.mixture import MixtureSpec
from tauscope.theory.empirical import empirical_eps

CPU = torch.device("cpu")


class Listener:
    """A recorder that keeps the points."""

    def __init__(self, end_at: int | None = None) -> None:
        self.points: list[Point] = []
        self.checkpoints: list[Path] = []
        self.end_at = end_at
        self.step = 0

    def dataset(self, train: Path, held_out: Path, record: Path) -> None: ...

    def progress(self, step: int, loss: float) -> None: ...

    def defers_samples(self) -> bool:
        return False

    def sampling(self, step: int, share: float) -> bool:
        return True

    def samples(self, step: int, path: Path, n_generated: int) -> None: ...

    def predictions(self, step: int, path: Path) -> None: ...

    def measured(self, step: int, points: Sequence[Point]) -> None:
        self.points += points
        self.step = step

    def checkpoint(self, step: int, weights: Path, state: Path, *, unevaluated: bool) -> None:
        self.checkpoints.append(state)

    def should_end(self) -> bool:
        return self.end_at is not None and self.step >= self.end_at

    def of(self, metric: str) -> list[Point]:
        return [point for point in self.points if point.metric == metric]


def document(**changes: Any) -> dict[str, Any]:
    measured = {"schedule": {"kind": "log_spaced", "first": 2, "count": 3}, "n_generated": 64, "loss_pairs": 64, "score_points": 64}
    return {
        "dataset": {"n_train": 24, "n_held_out": 64, "dim": 3},
        "network": {"base_width": 16, "blocks": 1},
        "steps": 8,
        "measurement": {**measured, "sampler": {"name": "ddim", "steps": 4}, "loss_indices": [150], "score_indices": [150]},
        **changes,
    }


def run(folder: Path, spec: GmmSpec, checkpoint: Path | None = None, end_at: int | None = None) -> tuple[GmmExperiment, Listener]:
    experiment, heard = GmmExperiment(spec, device=CPU, folder=folder), Listener(end_at)
    experiment.run(heard, checkpoint=checkpoint)
    return experiment, heard


@pytest.mark.parametrize("kind", [GmmSpec, GmmConditionalSpec])
@pytest.mark.parametrize("only_index", [None, 150])
def test_every_point_is_described_and_everything_described_is_measured(tmp_path: Path, kind: type[GmmSpec], only_index: int | None) -> None:
    onsets = {"tau_gen": {"metric": "score_error@150", "level": 0.1}, "tau_mem": {"metric": "alpha@150", "level": 0.2}}
    spec = kind.model_validate(document(only_index=only_index, onsets=onsets))
    experiment, heard = run(tmp_path, spec)
    assert {point.metric for point in heard.points} == set(metric_infos(spec))
    assert all(point.count for point in heard.points)
    weights = sum(weight.numel() for weight in experiment.trainer.network.parameters())
    assert spec.parameters == weights


def test_the_copies_of_a_run_are_counted_again_from_its_files(tmp_path: Path) -> None:
    spec = GmmSpec.model_validate(document())
    _, heard = run(tmp_path, spec)
    recorded = {point.step: (point.value, point.count) for point in heard.points if point.metric == "f_mem"}
    found = recompute(tmp_path, sorted((tmp_path / "samples").glob("*.npz")))
    assert {point.step: (point.value, point.count) for point in found} == recorded
    assert not any(point.reason for point in found), "the stored neighbours are the nearest ones"


def test_a_run_that_was_broken_off_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    spec = GmmConditionalSpec.model_validate(document())
    _, whole = run(tmp_path / "whole", spec)
    _, begun = run(tmp_path / "parts", spec, end_at=4)
    _, ended = run(tmp_path / "parts", spec, checkpoint=begun.checkpoints[-1])
    found = {(point.step, point.metric): point.value for point in begun.points + ended.points}
    assert found == {(point.step, point.metric): point.value for point in whole.points}


def test_another_process_measures_the_samples_of_a_step_to_the_same_numbers(tmp_path: Path) -> None:
    spec = GmmSpec.model_validate(document())
    _, heard = run(tmp_path / "first", spec)
    again = Listener()
    assert GmmExperiment(spec, device=CPU, folder=tmp_path / "second").evaluate(again, heard.checkpoints[0], step=2)
    for metric in ("energy_distance", "kl", "e_mem", "f_mem"):
        assert again.of(metric)[0] == heard.of(metric)[0]


def test_the_points_are_independent_draws_of_the_mixture_from_the_runs_seed() -> None:
    first, again, other = (MixtureSet.draw(GmmSpec.model_validate(document(seed=seed)), CPU) for seed in (1, 1, 2))
    torch.testing.assert_close(first.train, again.train, rtol=0, atol=0)
    assert not torch.equal(first.train, other.train)
    rows = torch.cat([first.train, first.held_out, first.fresh, first.reference])
    assert len(torch.unique(rows, dim=0)) == len(rows)


def test_random_centres_are_the_same_for_every_seed_of_a_run() -> None:
    spec = MixtureSpec(name="random", dim=128, components=5, n_held_out=128)
    torch.testing.assert_close(mixture_of(spec).means, mixture_of(spec).means, rtol=0, atol=0)
    other = mixture_of(spec.model_copy(update={"centres_seed": 1})).means
    assert not torch.equal(mixture_of(spec).means, other)
    assert float(other.std()) == pytest.approx(1.0, abs=4 / (2 * 640) ** 0.5)  # mu = 1, four standard errors of a deviation


class _Exact(nn.Module):
    """The exact answer of the population, or of the training points, in place of a network."""

    def __init__(self, points: MixtureSet, diffusion: Diffusion, *, copies: bool) -> None:
        super().__init__()
        self.points, self.diffusion, self.copies = points, diffusion, copies

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        alpha_bar = float(self.diffusion.alpha_bar[int(t[0])])
        if self.copies:
            return empirical_eps(x_t, self.points.train, alpha_bar=alpha_bar).float()
        return (-((1 - alpha_bar) ** 0.5) * self.points.population.noised(alpha_bar).score(x_t)).float()


def test_the_exact_population_score_measures_as_a_generator_and_the_empirical_one_as_a_copier(tmp_path: Path) -> None:
    wanted = document()
    wanted["dataset"] |= {"n_train": 32, "dim": 8, "n_held_out": 256}
    wanted["measurement"] |= {"n_generated": 400, "sampler": {"name": "ddim", "steps": 40}, "score_points": 256}
    experiment = GmmExperiment(GmmSpec.model_validate(wanted), device=CPU, folder=tmp_path)
    measured = {}
    for copies in (False, True):
        network = _Exact(experiment.points, experiment.diffusion, copies=copies)
        points = experiment.measurement.without_samples(network, 1, {})
        points += experiment.measurement.samples(network, 1, tmp_path / "1.npz", {}, go_on=lambda share: True)
        measured[copies] = {point.metric: point for point in points}
    population, copier = measured[False], measured[True]
    assert population["alpha@150"].value == pytest.approx(0, abs=1e-4)  # float32 answers
    assert copier["alpha@150"].value == pytest.approx(1, abs=1e-4)
    assert copier["alpha_ho@150"].value == pytest.approx(0.5, abs=1e-4)
    assert population["score_error@150"].value == pytest.approx(0, abs=1e-6)
    assert copier["score_error@150"].value == pytest.approx(float(copier["score_error@150_train"].value or 0), rel=1e-3)
    assert (copier["f_mem"].value or 0) > 0.95
    assert (population["f_mem"].value or 0) < 0.02
    assert (copier["nearer_train"].low or 0) > 0.9
    for name in ("energy_distance", "e_gen", "e_mem"):
        low, high = population[name].low, population[name].high
        floor = population[f"{name}_floor"]
        # Forty deterministic steps leave a small error of their own beside both intervals.
        assert low is not None and high is not None and floor.low is not None and floor.high is not None
        assert low < floor.high + 0.1 and high > floor.low - 0.1
    assert (copier["e_mem"].high or 9) < 0.5 * (population["e_mem"].low or 0)


def test_the_perceptron_takes_points_of_any_shape_and_labels_as_one_vector() -> None:
    torch.manual_seed(0)
    network = Mlp(6, 16, 2, labels=3)
    x, t = torch.randn(5, 6), torch.tensor([1, 40, 150, 300, 999])
    flat = network(x, t, torch.tensor([0, 1, 2, -1, 0]))
    torch.testing.assert_close(network(x.view(5, 2, 3), t, torch.tensor([0, 1, 2, -1, 0])).flatten(1), flat)
    torch.testing.assert_close(network(x, t)[3], flat[3])  # Without labels all are withheld, as -1 is.
    assert not torch.allclose(network(x, t)[0], flat[0])
