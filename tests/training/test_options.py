"""Every option of training does what its source says, and a run that uses it resumes to the last bit."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tauscope.contracts.points import Point
from tauscope.experiments import ImageDdpmExperiment
from tauscope.specs.optimizer import AdamSpec, PowerEmaSpec, SgdSpec
from tauscope.training.ema import WeightAverage, decay_rule, power_of
from tauscope.training.learning_rate import learning_rate
from tauscope.training.trainer import DivergedError, Trainer
from tests.training.test_resume import CPU, MEASUREMENT, Notebook, spec

# One index alone: nothing is sampled, and the losses are measured there.
FIXED: dict[str, Any] = {
    "only_index": 100,
    "measurement": {**MEASUREMENT, "loss_indices": [100]},
}
LENGTHS: dict[str, Any] = {"name": "power", "relative_std": 0.05, "further": [0.1, 0.2]}


def experiment(folder: Path, **changes: object) -> ImageDdpmExperiment:
    return ImageDdpmExperiment(spec(**changes), device=CPU, folder=folder)


def trained(folder: Path, steps: int = 3, **changes: object) -> Trainer:
    trainer = experiment(folder, **changes).trainer
    for _ in range(steps):
        trainer.advance()
    return trainer


def weights(trainer: Trainer) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in trainer.network.parameters()])


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": {"name": "adam", "lr": 1e-3, "warmup_steps": 4, "cosine_steps": 12, "clip_norm": 0.5}, "ema": LENGTHS},
        {"process": {"name": "cosine"}, "parameterization": "v", "preconditioning": False, "compute": {"micro_batch": 3}},
        {"process": {"name": "log_snr"}, "parameterization": "x0", "preconditioning": False, "ema": {"decay": 0.9, "further": [0.5]}},
        {**FIXED, "compute": {"precision": "bfloat16"}, "optimizer": {"name": "sgd", "clip_norm": 1.0}},
        {"compute": {"memory_format": "channels_last"}},
    ],
    ids=["schedule-clip-power", "cosine-v-parts", "log_snr-x0-lengths", "fixed-bf16", "channels-last"],
)
def test_a_run_with_options_resumes_to_the_last_bit(tmp_path: Path, changes: dict[str, object]) -> None:
    whole, first, second = Notebook(), Notebook(6), Notebook()
    straight = experiment(tmp_path / "whole", **changes)
    assert straight.run(whole)
    assert not experiment(tmp_path / "parts", **changes).run(first)
    resumed = experiment(tmp_path / "parts", **changes)
    assert resumed.run(second, checkpoint=first.checkpoints[-1])
    assert first.points + second.points == whole.points
    assert torch.equal(weights(resumed.trainer), weights(straight.trainer))
    assert [point for point in whole.points if point.metric.startswith("loss_held_out@")]


def test_the_rate_rises_linearly_then_falls_along_half_a_cosine() -> None:
    rates = [learning_rate(AdamSpec(lr=2.0, warmup_steps=4, cosine_steps=12), step) for step in range(14)]
    assert rates[:4] == [0.5, 1.0, 1.5, 2.0]
    assert rates[4] == 2.0
    assert rates[8] == pytest.approx(1.0)
    assert rates[10] == pytest.approx(1 + math.cos(math.pi * 0.75))
    assert rates[12:] == [0.0, 0.0]
    assert [learning_rate(SgdSpec(lr=0.3), step) for step in (0, 10**6)] == [0.3, 0.3]


def test_a_step_moves_the_weights_by_the_rate_of_that_step(tmp_path: Path) -> None:
    """The first step of Adam moves every weight with a gradient by lr, so a quarter of lr in a warm-up of four."""
    moved = []
    for name, optimizer in {"plain": {"lr": 1e-3}, "warm": {"lr": 1e-3, "warmup_steps": 4}}.items():
        trainer = experiment(tmp_path / name, optimizer={"name": "adam", **optimizer}).trainer
        before = weights(trainer)
        trainer.advance()
        moved.append(float((weights(trainer) - before).abs().max()))
    assert moved[0] == pytest.approx(1e-3, rel=1e-3)
    assert moved[1] == pytest.approx(0.25e-3, rel=1e-3)


def test_a_gradient_above_the_bound_is_scaled_down_to_it_and_one_below_is_left(tmp_path: Path) -> None:
    """Plain SGD with lr 1 moves the weights by the gradient itself."""
    moved = {}
    for name, clip in {"none": None, "loose": 1e6, "tight": 0.01}.items():
        trainer = experiment(tmp_path / name, optimizer={"name": "sgd", "lr": 1.0, "momentum": 0.0, "clip_norm": clip}).trainer
        before = weights(trainer)
        trainer.advance()
        moved[name] = weights(trainer) - before
    assert torch.equal(moved["loose"], moved["none"])
    assert float(moved["tight"].norm()) == pytest.approx(0.01, rel=1e-3)
    cosine = nn.functional.cosine_similarity(moved["tight"], moved["none"], dim=0)
    assert float(cosine) == pytest.approx(1.0, abs=1e-4)  # float32, from weights of order 0.1


@pytest.mark.parametrize("micro_batch", [1, 3, 100])
def test_a_batch_in_parts_is_the_same_batch(tmp_path: Path, micro_batch: int) -> None:
    """Same images, t and noise; sums of float32 in another order move the weights by no more than 1e-5 of their change."""
    network = {"base_width": 8, "multipliers": [1, 2], "blocks": 1, "attention": [False, True]}
    sgd = {"name": "sgd", "lr": 0.1}  # Adam's first steps have the sign of the gradient, which rounding may turn.
    start = weights(experiment(tmp_path, network=network, optimizer=sgd).trainer)
    whole = trained(tmp_path, network=network, optimizer=sgd)
    parts = trained(tmp_path, network=network, optimizer=sgd, compute={"micro_batch": micro_batch})
    difference = float((weights(parts) - weights(whole)).norm() / (weights(whole) - start).norm())
    assert difference < 1e-5


def test_parts_of_a_batch_do_not_drop_the_same_units(tmp_path: Path) -> None:
    """The same image twice, with the same t and noise, in two parts: only what is dropped can make their gradients differ."""
    network = {"base_width": 8, "multipliers": [1], "blocks": 1, "attention": [False], "dropout": 0.5}
    trainer = experiment(tmp_path, network=network, compute={"micro_batch": 1}).trainer
    seen: list[torch.Tensor] = []
    trainer.network.register_forward_hook(lambda module, inputs, output: seen.append(output.detach()))
    x_0, t, eps = trainer.x_0[:1].repeat(2, 1, 1, 1), torch.full((2,), 100), torch.zeros(2, 1, 8, 8)
    trainer._gradient(x_0, t, eps, ())
    assert not torch.equal(seen[0], seen[1])


def test_a_power_function_average_is_the_integral_over_its_profile() -> None:
    """The weights 1, 2, ..., 400 averaged with weight proportional to tau^gamma: (gamma + 1)/(gamma + 2) of the last, for long times."""
    network = nn.Linear(1, 1, bias=False)
    relative_std = 0.1
    gamma = power_of(relative_std)
    average = WeightAverage(network, decay_rule(PowerEmaSpec(relative_std=relative_std), relative_std))
    for step in range(1, 401):
        with torch.no_grad():
            network.weight.fill_(float(step))
        average.update(step)
    found = float(next(average.network.parameters()))
    assert found == pytest.approx(400 * (gamma + 1) / (gamma + 2), rel=0.005)  # The sum is no integral: 1/400 of it apart.


@pytest.mark.parametrize(("relative_std", "gamma"), [(0.05, 16.97), (0.1, 6.94)])
def test_the_exponents_are_those_of_the_paper(relative_std: float, gamma: float) -> None:
    """Karras et al. 2024, section 3.1: gamma = 16.97 and 6.94 for 5 % and 10 %."""
    assert power_of(relative_std) == pytest.approx(gamma, abs=0.005)


def named(points: list[Point], metric: str) -> dict[int, Point]:
    return {point.step: point for point in points if point.metric == metric}


def test_a_further_average_is_measured_like_a_run_that_has_it_alone_and_changes_nothing_else(tmp_path: Path) -> None:
    both, alone, plain = Notebook(), Notebook(), Notebook()
    schedule = {**MEASUREMENT, "schedule": {"kind": "explicit", "at": [4, 8]}}
    experiment(tmp_path / "both", ema={"decay": 0.9, "further": [0.5]}, steps=8, measurement=schedule).run(both)
    experiment(tmp_path / "alone", ema={"decay": 0.5}, steps=8, measurement=schedule).run(alone)
    experiment(tmp_path / "plain", ema={"decay": 0.9}, steps=8, measurement=schedule).run(plain)
    assert [point for point in both.points if "~" not in point.metric] == plain.points
    for metric in ("f_mem", "loss_held_out@10", "loss_held_out@100"):
        renamed = {step: point.model_copy(update={"metric": metric}) for step, point in named(both.points, f"{metric}~ema0.5").items()}
        assert renamed == named(alone.points, metric)
        assert list(renamed) == [4, 8]


def test_a_fork_may_ask_for_lengths_that_were_not_kept(tmp_path: Path) -> None:
    experiment(tmp_path / "run").run(Notebook(8))
    fork = {"step": 8, "path": str(tmp_path / "run" / "checkpoints" / "8.json")}
    notebook = Notebook()
    experiment(tmp_path / "fork", fork=fork, ema={"decay": 0.98, "further": [0.5]}).run(notebook)
    assert list(named(notebook.points, "f_mem~ema0.5")) == [12]


def test_a_run_at_one_index_trains_there_alone_and_draws_no_samples(tmp_path: Path) -> None:
    notebook = Notebook()
    fixed = experiment(tmp_path, **FIXED)
    seen: list[torch.Tensor] = []
    fixed.trainer.network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[1]))
    assert fixed.run(notebook)
    assert all(bool((t == 100).all()) for t in seen)
    measured = {point.metric for point in notebook.points if not point.metric.startswith("theory_")}
    assert measured == {"loss_train@100", "loss_held_out@100", "loss_gap@100"}
    assert not (tmp_path / "samples").exists()
    assert not notebook.unevaluated


def test_bfloat16_is_used_and_learns_as_float32_does(tmp_path: Path) -> None:
    """Eight bits of mantissa: a step's loss agrees to a few thousandths, and is not the same number."""
    exact, rough = (
        [float(loss) for loss in losses_of(experiment(tmp_path / precision, compute={"precision": precision}).trainer)]
        for precision in ("float32", "bfloat16")
    )
    assert exact != rough
    np.testing.assert_allclose(rough, exact, rtol=0.02)


def losses_of(trainer: Trainer) -> list[torch.Tensor]:
    return [trainer.advance() for _ in range(10)]


def poison(trainer: Trainer, at: int) -> None:
    """Let the loss of one step be infinite while its gradient is finite: only the loss itself can tell."""
    real = trainer._loss

    def loss(x_0: torch.Tensor, t: torch.Tensor, eps: torch.Tensor) -> torch.Tensor:
        return real(x_0, t, eps) + (float("inf") if trainer.step + 1 == at else 0.0)

    trainer._loss = loss  # type: ignore[method-assign]


@pytest.mark.parametrize("changes", [{"compute": {"precision": "bfloat16"}}, {"optimizer": {"name": "adam", "clip_norm": 1.0}}, {}])
def test_a_loss_that_is_infinite_between_checkpoints_ends_the_run_with_its_curves_and_the_last_checkpoint(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    run, notebook = experiment(tmp_path, **changes), Notebook()
    poison(run.trainer, at=6)
    with pytest.raises(DivergedError, match="the training loss is not finite at step 6; the last checkpoint is that of step 4"):
        run.run(notebook)
    assert [path.stem for path in notebook.checkpoints] == ["4"]
    assert {point.step for point in notebook.points} == {4}


def test_an_infinite_loss_is_not_forgotten_where_it_is_looked_at_only_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on an accelerator: the run goes on, but no checkpoint is written any more."""
    run, notebook = experiment(tmp_path), Notebook()
    poison(run.trainer, at=6)
    looked = Trainer._check_losses
    monkeypatch.setattr(Trainer, "_check_losses", lambda trainer: None)
    monkeypatch.setattr(Trainer, "check_finite", looked)
    with pytest.raises(DivergedError, match="at step 8; the last checkpoint is that of step 4"):
        run.run(notebook)
    assert [path.stem for path in notebook.checkpoints] == ["4"]


def test_weights_that_are_no_numbers_are_never_saved_though_the_loss_before_them_was_finite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, notebook = experiment(tmp_path, optimizer={"name": "sgd", "lr": 1e-3}, steps=4), Notebook()

    move = run.trainer.optimizer.step

    def spoil(lr: float) -> None:
        move(lr)
        if run.trainer.step == 3:
            next(run.trainer.network.parameters()).data.fill_(float("inf"))

    monkeypatch.setattr(run.trainer.optimizer, "step", spoil)
    with pytest.raises(DivergedError, match="some weights are not finite at step 4; there is no checkpoint before it"):
        run.run(notebook)
    assert notebook.checkpoints == []


def test_the_options_stand_in_the_checkpoint(tmp_path: Path) -> None:
    notebook = Notebook()
    compute = {"precision": "bfloat16", "micro_batch": 4}
    experiment(tmp_path, compute=compute, steps=4).run(notebook)
    held = json.loads(notebook.checkpoints[-1].read_text())["spec"]["compute"]
    assert {name: held[name] for name in compute} == compute
