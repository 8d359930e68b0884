"""The passes written out for perceptrons give the gradients of autograd, in runs that can be broken off and begun again."""

import json
import math
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tauscope.experiments.gmm import GmmExperiment
from tauscope.experiments.score_1d import Score1dExperiment
from tauscope.networks import native
from tauscope.specs import Score1dSpec
from tauscope.specs.gmm import GmmConditionalSpec, GmmSpec
from tauscope.training.checkpoints import load_checkpoint, save_checkpoint
from tauscope.training.trainer import DivergedError, Trainer

CPU = torch.device("cpu")
SMALL: dict[str, Any] = {
    "dataset": {"n_train": 24, "n_held_out": 32, "dim": 3},
    "network": {"base_width": 16, "blocks": 2},
    "batch_size": 20,
    "optimizer": {"name": "adam", "lr": 1e-2},
    "measurement": {
        "loss_indices": [150],
        "score_indices": [150],
        "loss_pairs": 64,
        "score_points": 64,
        "sampler": {"name": "ddim", "steps": 4},
    },
    "onsets": {"tau_gen": {"metric": "score_error@150", "level": 0.1}, "tau_mem": {"metric": "alpha@150", "level": 0.2}},
}
MIXTURES: tuple[dict[str, Any], ...] = (
    {},
    {"preconditioning": False},
    {"preconditioning": False, "parameterization": "x0"},
    {"preconditioning": False, "parameterization": "v"},
    {"network": {"base_width": 16, "blocks": 2, "fourier": {"count": 4}}},
    {"network": {"base_width": 16, "blocks": 0}, "batch_size": "full"},
    {"only_index": 150, "replacement": False},
)


def of_mixture(folder: Path, kind: type[GmmSpec] = GmmSpec, **changes: Any) -> Trainer:
    return GmmExperiment(kind.model_validate({**SMALL, **changes}), device=CPU, folder=folder).trainer


def on_line(folder: Path, activation: str, **changes: Any) -> Trainer:
    spec = Score1dSpec.model_validate({"network": {"base_width": 16, "activation": activation}, **changes})
    return Score1dExperiment(spec, device=CPU, folder=folder).trainer


def trainers(folder: Path) -> list[Trainer]:
    mixtures = [of_mixture(folder, **changes) for changes in MIXTURES]
    lines = [on_line(folder, activation, preconditioning=scaled) for activation in ("relu", "silu", "tanh") for scaled in (False, True)]
    return [*mixtures, of_mixture(folder, GmmConditionalSpec), *lines]


def weights(trainer: Trainer) -> Tensor:
    return torch.cat([weight.detach().flatten() for weight in trainer.network.parameters()])


def by_autograd(trainer: Trainer, step: int) -> tuple[float, list[Tensor]]:
    drawn = trainer._draws.at(step)
    loss = trainer._loss(trainer.x_0[drawn.batch], drawn.t, drawn.eps, *drawn.told)
    return float(loss.detach()), list(torch.autograd.grad(loss, list(trainer.network.parameters())))


@pytest.fixture(params=[True, False], ids=["machine code", "PyTorch"])
def compiled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether machine code is asked; without Numba it cannot be. One thread either way."""
    if request.param and not native.INSTALLED:
        pytest.skip("Numba is an optional extra: pip install 'tauscope[native]'")
    monkeypatch.setattr(native, "INSTALLED", request.param)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    return bool(request.param)


def test_gradients_and_loss_are_those_of_autograd_at_every_step_whatever_the_network_learns(tmp_path: Path, compiled: bool) -> None:
    for trainer in trainers(tmp_path):
        assert trainer._pass is not None
        assert type(trainer._pass._passes).__name__ == ("_MachineCode" if compiled else "_Layers")
        for step in (0, 40, 2):
            loss, own = float(trainer._pass.gradient(step)), [weight.grad for weight in trainer.network.parameters()]
            expected, reference = by_autograd(trainer, step)
            assert loss == pytest.approx(expected, rel=1e-5)
            for mine, its in zip(own, reference, strict=True):
                assert mine is not None
                # Sums of some hundred float32 numbers in another order; of a bias they may cancel.
                assert float((mine - its).norm()) < 1e-6 * float(its.norm()) + 1e-7


@pytest.mark.parametrize("optimizer", [{"name": "adam", "lr": 1e-2, "clip_norm": 0.5}, {"name": "sgd", "lr": 1e-2}])
def test_a_checkpoint_is_the_same_for_both_passes_and_resumes_to_the_same_weights(
    tmp_path: Path, optimizer: dict[str, Any], compiled: bool
) -> None:
    """Of the same batch in parts, which autograd does, a checkpoint holds the same tensors; steps after it agree to rounding."""
    whole, parts = (of_mixture(tmp_path, optimizer=optimizer, compute=compute) for compute in ({}, {"micro_batch": 20}))
    assert parts._pass is None
    for trainer in (whole, parts):
        for _ in range(5):
            trainer.advance()
    files = save_checkpoint(whole, tmp_path / "whole")
    for _ in range(5):
        whole.advance()
    again = of_mixture(tmp_path, optimizer=optimizer)
    load_checkpoint(again, files.state)
    for _ in range(5):
        again.advance()
    assert torch.equal(weights(again), weights(whole))
    assert torch.equal(*(torch.cat([part.flatten() for part in trainer.average.settle().parameters()]) for trainer in (again, whole)))
    names = [
        {(place, name): value.shape for place, slots in trainer.remembered.items() for name, value in slots.items()}
        for trainer in (whole, parts)
    ]
    assert names[0] == names[1]
    for _ in range(5):
        parts.advance()
    torch.testing.assert_close(weights(parts), weights(whole), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "changes", [{"compute": {"precision": "bfloat16"}}, {"compute": {"micro_batch": 5}}, {"network": {"base_width": 16, "dropout": 0.1}}]
)
def test_what_is_not_written_out_is_left_to_autograd(tmp_path: Path, changes: dict[str, Any]) -> None:
    trainer = of_mixture(tmp_path, **changes)
    assert trainer._pass is None
    assert float(trainer.advance()) > 0


def test_a_checkpoint_says_whether_machine_code_of_ours_was_there_to_be_used(tmp_path: Path, compiled: bool) -> None:
    state = json.loads(save_checkpoint(of_mixture(tmp_path), tmp_path / "whole").state.read_text())
    assert state["machine_code"] == (f"Numba {version('numba')}" if compiled else "none")


@pytest.mark.skipif(not native.INSTALLED, reason="Numba is an optional extra: pip install 'tauscope[native]'")
def test_tanh_of_machine_code_is_exact_to_rounding_where_it_is_small_too_and_keeps_what_is_no_number() -> None:
    from tauscope.training.perceptron_jit import tanh

    z = [sign * 10.0**power for power in range(-6, 2) for sign in (1, -1)] + [0.3, 0.7, 9.4, float("inf")]
    # Three roundings of float32, 6e-8 each, and the series.
    assert [tanh(np.float32(x)) for x in z] == pytest.approx([math.tanh(np.float32(x)) for x in z], rel=3e-7)
    assert math.isnan(tanh(np.float32("nan")))


def test_weights_that_run_away_end_the_run_at_their_step(tmp_path: Path, compiled: bool) -> None:
    trainer = of_mixture(tmp_path)
    trainer.advance()
    next(trainer.network.parameters()).data.fill_(float("inf"))
    with pytest.raises(DivergedError, match="not finite at step 2"):
        trainer.advance()
