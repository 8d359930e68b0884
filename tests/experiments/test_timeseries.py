"""A run on windows measures what its spec says, is the same when it is resumed, and its copies are found again by brute force."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import softmax

from tauscope.analysis.metrics_info import metric_infos
from tauscope.analysis.theory_infos import PREFIX
from tauscope.contracts.points import Point
from tauscope.datasets.series import load_windows
from tauscope.experiments import TimeseriesExperiment
from tauscope.experiments.losses import draw_bank
from tauscope.experiments.timeseries import build_network
from tauscope.experiments.window_measurement import WindowMeasurement
from tauscope.experiments.window_set import WindowSet
from tauscope.process import Diffusion
from tauscope.results.verify import brute_force_two_nearest
from tauscope.specs.timeseries import DISTANCES, TimeseriesSpec

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def series_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two channels of period 12 with noise, one row absent, one cell missing."""
    rng, steps = np.random.default_rng(0), np.arange(1600)
    a, b = np.sin(2 * np.pi * steps / 12), np.cos(2 * np.pi * steps / 12)
    rows = [f"{i},{a[i] + 0.3 * rng.standard_normal():.4f},{'' if i == 77 else round(b[i], 5)}" for i in steps if i != 500]
    file = tmp_path_factory.mktemp("series") / "made.csv"
    file.write_text("\n".join(["time,a,b", *rows]))
    return file


def spec(file: Path, **changes: Any) -> TimeseriesSpec:
    data = {"name": "series", "path": str(file), "sampling": "grid", "missing": "drop", "length": 8, "stride": 8, "period": 12}
    return TimeseriesSpec.model_validate(
        {
            "dataset": {**data, "n_train": 12, "n_held_out": 40},
            "network": {"base_width": 8, "dropout": 0.1},
            "batch_size": 8,
            "steps": 9,
            "measurement": {
                "schedule": {"kind": "explicit", "at": [3, 6, 9]},
                "n_generated": 32,
                "sampler": {"name": "ddim", "steps": 4},
                "loss_pairs": 32,
                "dtw_radius": 1,
            },
            **changes,
        }
    )


class Notebook:
    """Keeps what a run reports; ends the segment at a given step."""

    def __init__(self, end_at: int | None = None) -> None:
        self.points: list[Point] = []
        self.checkpoints: list[Path] = []
        self.data: tuple[Path, ...] = ()
        self.end_at, self.step = end_at, 0

    def dataset(self, *files: Path) -> None:
        self.data = files

    def progress(self, step: int, loss: float) -> None: ...

    def defers_samples(self) -> bool:
        return False

    def sampling(self, step: int, share: float) -> bool:
        return True

    def samples(self, step: int, path: Path, n_generated: int) -> None: ...

    def predictions(self, step: int, path: Path) -> None: ...

    def measured(self, step: int, points: Sequence[Point]) -> None:
        self.points += points

    def checkpoint(self, step: int, weights: Path, state: Path, *, unevaluated: bool) -> None:
        self.checkpoints.append(state)

    def should_end(self) -> bool:
        self.step += 1
        return self.end_at is not None and self.step >= self.end_at


@pytest.fixture(scope="module")
def whole(series_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Notebook, Path, TimeseriesSpec]:
    folder, notebook, asked = tmp_path_factory.mktemp("run"), Notebook(), spec(series_file)
    assert TimeseriesExperiment(asked, device=CPU, folder=folder).run(notebook)
    return notebook, folder, asked


Whole = tuple[Notebook, Path, TimeseriesSpec]


def test_every_step_has_every_metric_that_its_kind_describes_with_interval_and_count(whole: Whole) -> None:
    notebook, _, asked = whole
    for step in (3, 6, 9):
        there = {point.metric: point for point in notebook.points if point.step == step}
        measured, described = ({name for name in names if not name.startswith(PREFIX)} for names in (there, metric_infos(asked)))
        assert measured == described
        for point in there.values():
            assert point.count
            if "_q" not in point.metric:
                assert point.low is not None and point.high is not None and point.value is not None
                assert point.low <= point.value <= point.high


def test_losses_stand_beside_those_of_the_exact_memorizer_of_the_windows_told_once(whole: Whole) -> None:
    """Recomputed here as a softmax over the windows, in numpy, on the pairs of the losses themselves."""
    notebook, _, asked = whole
    told = [point for point in notebook.points if point.metric.startswith(PREFIX)]
    assert {point.step for point in told} == {3} and {point.metric for point in told} == {
        name for name in metric_infos(asked) if name.startswith(PREFIX)
    }
    windows, diffusion = WindowSet.of(load_windows(asked.dataset), CPU), Diffusion.of(asked.process)
    index = asked.loss_indices[-1]
    for part in ("train", "held_out"):
        bank = draw_bank(asked, windows, diffusion, part, index=index, pairs=asked.measurement.loss_pairs)
        alpha_bar = float(diffusion.alpha_bar[index])
        x_t, train = (np.asarray(x.double()).reshape(len(x), -1) for x in (bank.x_t, windows.to_model(windows.train)))
        weights = softmax(-((x_t[:, None] - alpha_bar**0.5 * train) ** 2).sum(2) / (2 * (1 - alpha_bar)), axis=1)
        eps_hat = (x_t - alpha_bar**0.5 * weights @ train) / (1 - alpha_bar) ** 0.5
        wanted = float(((eps_hat - np.asarray(bank.eps.double()).reshape(len(x_t), -1)) ** 2).mean())
        (point,) = (point for point in told if point.metric == f"{PREFIX}loss_empirical_{part}@{index}")
        assert point.value == pytest.approx(wanted, rel=1e-4, abs=1e-6)  # Pairs are kept in single precision.


def test_a_run_ended_and_resumed_is_the_same_to_the_last_bit(whole: Whole, tmp_path: Path) -> None:
    notebook, _, asked = whole
    first, second = Notebook(end_at=5), Notebook()
    assert not TimeseriesExperiment(asked, device=CPU, folder=tmp_path).run(first)
    assert TimeseriesExperiment(asked, device=CPU, folder=tmp_path).run(second, checkpoint=first.checkpoints[-1])
    assert first.points + second.points == notebook.points


def test_stored_neighbours_are_those_of_brute_force(whole: Whole) -> None:
    _, folder, _ = whole
    with np.load(folder / "train.npz") as train, np.load(folder / "samples" / "9.npz") as samples:
        distances, index = brute_force_two_nearest(samples["samples"], train["images"], train["starts"])
        np.testing.assert_array_equal(index, samples["neighbours"])
        np.testing.assert_allclose(distances, samples["distances"], rtol=1e-12)
        assert (np.abs(np.diff(train["starts"][index], axis=1)) >= 8).all()


def test_the_record_says_what_was_left_out(whole: Whole) -> None:
    notebook, folder, _ = whole
    assert notebook.data == (folder / "train.npz", folder / "held_out.npz", folder / "dataset.json")
    text = (folder / "dataset.json").read_text()
    assert "1 of 1,600 steps are absent in made.csv" in text
    assert "2 windows are left out for missing values" in text


def test_a_measurement_again_gives_the_numbers_of_training(whole: Whole, tmp_path: Path) -> None:
    notebook, _, asked = whole
    again = Notebook()
    assert TimeseriesExperiment(asked, device=CPU, folder=tmp_path).remeasure(again, notebook.checkpoints[1], step=6, spec=asked)
    assert again.points == [point for point in notebook.points if point.step == 6]


def measurement(asked: TimeseriesSpec, folder: Path) -> tuple[WindowMeasurement, TimeseriesExperiment]:
    experiment = TimeseriesExperiment(asked, device=CPU, folder=folder)
    return experiment.measurement_of(asked), experiment


def test_copies_of_training_windows_are_all_called_copies(series_file: Path, tmp_path: Path) -> None:
    measured, experiment = measurement(spec(series_file), tmp_path)
    noise = 0.01 * torch.randn(experiment.windows.train.shape, generator=torch.Generator().manual_seed(0))
    copies = experiment.windows.train + noise
    points = {point.metric: point.value for point in measured.copying.points(copies, measured.copying.found(copies), 1)}
    assert points["f_mem"] == points["f_mem_dtw"] == 1.0


def test_samples_that_are_not_numbers_are_missing_points_and_no_zeros(series_file: Path, tmp_path: Path) -> None:
    measured, _ = measurement(spec(series_file), tmp_path)
    points = measured.samples(lambda x, t: x * torch.nan, 3, tmp_path / "3.npz", {}, go_on=lambda share: True)  # type: ignore[arg-type]
    lost = {point.metric for point in points if point.reason == "diverged"}
    assert lost == {"f_mem", "f_mem_quarter", "f_mem_half", "f_mem_dtw", *(f"{name}_distance" for name in DISTANCES)}
    assert not (tmp_path / "3.npz").exists()


def test_the_control_at_equal_phase_leaves_out_held_out_windows_of_other_phases(series_file: Path, tmp_path: Path) -> None:
    """Windows 8 steps apart of period 12 begin at three phases; two training windows show two of them at most."""
    asked = spec(series_file)
    few = asked.model_copy(update={"dataset": asked.dataset.model_copy(update={"n_train": 2})})
    measured, experiment = measurement(few, tmp_path)
    points = {point.metric: point for point in measured.copying.baselines(1)}
    phases = set((experiment.windows.train_starts % 12).tolist())
    expected = sum(start % 12 in phases for start in experiment.windows.held_out_starts.tolist())
    assert points["f_mem_control_phase"].count == expected < points["f_mem_control"].count == 40


@pytest.mark.parametrize("changes", [{"preconditioning": False}, {"preconditioning": False, "parameterization": "v"}])
def test_the_network_predicts_noise_whatever_it_learns(series_file: Path, changes: dict[str, object]) -> None:
    asked = spec(series_file, **changes)
    network = build_network(asked, Diffusion.of(asked.process), channels=2, data_std=1.0)
    assert network(torch.zeros(3, 2, 8), torch.tensor([1, 10, 999])).shape == (3, 2, 8)
