"""A score learnt on a line: against quadrature and the closed forms, from the population's to that of the training points."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tauscope.analysis.metrics_info import metric_infos
from tauscope.contracts.points import Point
from tauscope.contracts.scores import ExactScores
from tauscope.experiments import Score1dExperiment
from tauscope.experiments.score_1d import LinePoints, build_network, drawn_at, exact_scores, population_of
from tauscope.experiments.score_measurement import ScoreMeasurement
from tauscope.process import Diffusion
from tauscope.specs import Score1dSpec, SpecError, load_preset, parse_sweep

CPU = torch.device("cpu")


def spec(**changes: object) -> Score1dSpec:
    return Score1dSpec.model_validate(changes)


class Exactly(nn.Module):
    """A network that has learnt a known score."""

    def __init__(self, score: object, alpha_bar: float) -> None:
        super().__init__()
        self.score, self.alpha_bar = score, alpha_bar

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        assert callable(self.score)
        return -((1 - self.alpha_bar) ** 0.5) * self.score(x.double())


def measured(asked: Score1dSpec, network: nn.Module) -> dict[str, Point]:
    population = population_of(asked)
    measurement = ScoreMeasurement(asked, LinePoints.drawn(asked, population, CPU), population, Diffusion.of(asked.process))
    return {point.metric: point for point in measurement.without_samples(network, 1, {})}


def of(asked: Score1dSpec, name: str) -> dict[str, Point]:
    """What a network is measured to that has the population's score, or that of the training points."""
    from tauscope.theory.empirical import empirical_score

    population = population_of(asked)
    alpha_bar = float(Diffusion.of(asked.process).alpha_bar[0])
    train = LinePoints.drawn(asked, population, CPU).train
    noised = population.noised(alpha_bar)
    score = noised.score if name == "population" else lambda x: empirical_score(x, train, alpha_bar=alpha_bar)
    return measured(asked, Exactly(score, alpha_bar))


def quadrature(exact: ExactScores, score: Sequence[float]) -> float:
    """E|s - s_pop|^2 under the population, by the trapezoidal rule."""
    squared = (np.array(score) - np.array(exact.population)) ** 2 * np.array(exact.density)
    return float(np.trapezoid(squared, np.array(exact.x)))


def test_the_population_has_no_error_and_has_copied_nothing_and_the_training_points_all() -> None:
    # float32 points, and eps to and from the score: seven digits of scores of order 10, squared.
    population, copier = of(spec(), "population"), of(spec(), "empirical")
    assert population["e_score"].value == pytest.approx(0, abs=1e-9)
    assert population["alpha"].value == pytest.approx(0, abs=1e-5)
    assert population["score_copied"].value == pytest.approx(0, abs=1e-5)
    assert copier["alpha"].value == pytest.approx(1, abs=1e-5)
    assert copier["score_copied"].value == pytest.approx(1, abs=1e-4)
    assert copier["score_to_training"].value == pytest.approx(0, abs=1e-9)
    assert copier["alpha_orthogonal"].value == pytest.approx(0, abs=1e-4)
    assert copier["e_score"].value == pytest.approx(copier["e_score_train"].value, rel=1e-5)


def test_the_intervals_hold_what_quadrature_gives() -> None:
    # Of 20 intervals at 95 % at least 16 hold the truth with probability 0.997.
    held = {"e_score_train": 0, "e_score_linear": 0}
    for seed in range(20):
        asked = spec(seed=seed, measurement={"points": 2048, "grid": 2001})
        population = population_of(asked)
        exact = exact_scores(asked, population, LinePoints.drawn(asked, population, CPU).train)
        x, density = np.array(exact.x), np.array(exact.density)
        mean = np.trapezoid(x * density, x)
        truth = {
            "e_score_train": quadrature(exact, exact.empirical),
            "e_score_linear": quadrature(exact, (mean - x) / np.trapezoid((x - mean) ** 2 * density, x)),
        }
        found = of(asked, "population")
        for name in held:
            point = found[name]
            assert point.low is not None and point.high is not None and point.count == 2048
            held[name] += point.low <= truth[name] <= point.high
    assert min(held.values()) >= 16


def test_the_score_that_lies_half_way_has_copied_one_half() -> None:
    from tauscope.theory.empirical import empirical_score

    asked = spec(dataset={"n_train": 48})
    population, alpha_bar = population_of(asked), float(Diffusion.of(asked.process).alpha_bar[0])
    train = LinePoints.drawn(asked, population, CPU).train

    def half_way(x: torch.Tensor) -> torch.Tensor:
        return (population.noised(alpha_bar).score(x) + empirical_score(x, train, alpha_bar=alpha_bar)) / 2

    found = measured(asked, Exactly(half_way, alpha_bar))
    assert found["alpha"].value == pytest.approx(0.5, abs=1e-5)
    assert found["score_copied"].value == pytest.approx(0.5, abs=1e-5)


def test_what_has_learnt_nothing_has_copied_nothing_whatever_alpha_says() -> None:
    """(1 - score_copied)^2 = (1 - alpha)^2 + alpha_orthogonal^2: an error that leads elsewhere does not count as copying."""
    for seed in range(8):
        found = measured(spec(seed=seed), Exactly(torch.zeros_like, 0.96))
        copied, alpha, beside = (found[name].value or 0.0 for name in ("score_copied", "alpha", "alpha_orthogonal"))
        assert (1 - copied) ** 2 == pytest.approx((1 - alpha) ** 2 + beside**2, rel=1e-9)
        assert copied < 0.5


def test_points_come_from_each_component_in_turn_and_fewer_of_a_seed_are_the_first_of_more() -> None:
    few, many = (LinePoints.drawn(asked := spec(dataset={"n_train": n}), population_of(asked), CPU) for n in (16, 100))
    assert torch.equal(few.train, many.train[:16])
    assert torch.equal(few.held_out, many.held_out)
    other = LinePoints.drawn(spec(seed=1), population_of(spec()), CPU)
    assert not torch.equal(few.train, other.train)
    large = LinePoints.drawn(spec(dataset={"n_train": 20_000}), population_of(spec()), CPU).train
    for k, mean in enumerate((-1.0, 1.0)):  # Five standard errors of a mean of 10,000 points, and of their standard deviation.
        assert float(large[k::2].mean()) == pytest.approx(mean, abs=0.025)
        assert float(large[k::2].std()) == pytest.approx(0.5, abs=0.018)


def test_scores_are_kept_where_the_population_is() -> None:
    asked = spec(dataset={"means": [-1, 3], "sigma": 0.5})
    exact = exact_scores(asked, population_of(asked), torch.tensor([[0.0], [1.0]]))
    assert np.trapezoid(exact.density, exact.x) == pytest.approx(1, abs=1e-4)  # Four standard deviations hold 0.99994.
    assert drawn_at(asked, population_of(asked))[[0, -1]] == pytest.approx([exact.x[0], exact.x[-1]])


def test_a_wide_preconditioned_or_averaged_network_learns_too(tmp_path: Path) -> None:
    for changes in ({"preconditioning": True}, {"parameterization": "v"}, {"ema": {"decay": 0.9}}, {"batch_size": "full"}):
        experiment = Score1dExperiment(spec(steps=3, **changes), device=CPU, folder=tmp_path)
        before = [weight.clone() for weight in experiment.trainer.network.parameters()]
        experiment.advance()
        assert any(not torch.equal(a, b) for a, b in zip(before, experiment.trainer.network.parameters(), strict=True))


class Kept:
    """Takes what a run tells, and nothing else."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.files: dict[int, Path] = {}
        self.record = Path()

    def dataset(self, train: Path, held_out: Path, record: Path) -> None:
        self.record = record

    def progress(self, step: int, loss: float) -> None: ...

    def defers_samples(self) -> bool:
        return False

    def sampling(self, step: int, share: float) -> bool:
        return True

    def samples(self, step: int, path: Path, n_generated: int) -> None:
        raise AssertionError("one diffusion time is not enough to draw samples")

    def predictions(self, step: int, path: Path) -> None:
        self.files[step] = path

    def measured(self, step: int, points: Sequence[Point]) -> None:
        self.points += points

    def checkpoint(self, step: int, weights: Path, state: Path, *, unevaluated: bool) -> None: ...

    def should_end(self) -> bool:
        return False


def test_parameters_are_counted_as_the_network_is_built() -> None:
    for network in ({}, {"base_width": 16, "layers": 1}, {"base_width": 8, "layers": 5}):
        asked = spec(network=network)
        built = build_network(asked, Diffusion.of(asked.process), data_std=1.0)
        assert sum(weight.numel() for weight in built.parameters()) == asked.parameters


def test_a_run_keeps_its_scores_and_measures_what_it_declares(tmp_path: Path) -> None:
    asked = spec(
        steps=6, batch_size=32, measurement={"points": 64, "loss_pairs": 32, "grid": 16, "schedule": {"kind": "explicit", "at": [2, 6]}}
    )
    kept = Kept()
    assert Score1dExperiment(asked, device=CPU, folder=tmp_path).run(kept)
    assert sorted(kept.files) == [2, 6]
    exact = ExactScores.model_validate(json.loads(kept.record.read_text())["scores"])
    with np.load(kept.files[6]) as archive:
        assert archive["predictions"].shape == (16,) == (len(exact.x),)
    assert {point.metric for point in kept.points} == set(metric_infos(asked))
    assert all(point.value is not None and point.low is not None and point.count for point in kept.points)


@pytest.mark.slow
def test_the_preset_learns_the_population_first_and_its_points_later(tmp_path: Path) -> None:
    """E_score is least before the last checkpoint, for every n; what is copied goes from below to above one half."""
    for run in load_preset("score-1d").sweep.resolve():
        if run.params["seed"] != 1:
            continue
        kept = Kept()
        assert isinstance(run.spec, Score1dSpec)
        assert Score1dExperiment(run.spec, device=CPU, folder=tmp_path / run.label).run(kept)
        errors = [point for point in kept.points if point.metric == "e_score"]
        least, last = min(errors, key=lambda point: point.value or 0.0), errors[-1]
        assert least.high is not None and last.low is not None
        assert least.step < last.step and least.high < last.low
        copied = [point.value or 0.0 for point in kept.points if point.metric == "score_copied"]
        assert copied[0] < 0.5 < copied[-1]


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"process": {"t": 0}}, "base.process.t", "greater than 0"),
        ({"process": {"name": "linear"}}, "base.process.name", "at_time"),
        ({"dataset": {"sigma": -1}}, "base.dataset.sigma", "greater than 0"),
        ({"dataset": {"n_train": 1}}, "base.dataset.n_train", "greater than or equal to 2"),
        ({"onsets": {"tau_gen": {"metric": "frechet_pca", "level": 1}}}, "base", "onsets.tau_gen.metric is not measured"),
        (
            {"onsets": {"tau_gen": {"metric": "e_score", "level": 1}, "tau_mem": {"metric": "f_mem", "level": 0.25}}},
            "base",
            "onsets.tau_mem needs metric score_copied or alpha",
        ),
        ({"measurement": {"n_generated": 100}}, "base.measurement.n_generated", "less than or equal to 0"),
        ({"stopping": {"name": "window"}}, "base.stopping.name", "budget"),
    ],
)
def test_what_cannot_be_learnt_on_a_line_is_refused_by_its_field(change: dict[str, object], field: str, words: str) -> None:
    with pytest.raises(SpecError) as error:
        parse_sweep({"name": "x", "base": {"kind": "score_1d", **change}})
    told = "; ".join(map(str, error.value.problems))
    assert field in told and words in told
