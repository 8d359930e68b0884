"""Weights move exactly as by PyTorch's own optimizers, which load its compiler for nothing."""

import copy
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch
from torch import nn, optim

from tauscope.networks import native
from tauscope.specs.optimizer import AdamSpec, SgdSpec
from tauscope.training.optimizers import CompiledAdam, build_optimizer

SPECS = (AdamSpec(lr=3e-3, betas=(0.8, 0.99)), SgdSpec(lr=0.1, momentum=0.9), SgdSpec(lr=0.1, momentum=0.0))
DECAYED = (AdamSpec(lr=3e-3, weight_decay=0.1), SgdSpec(lr=0.1, momentum=0.9, weight_decay=0.01))


def networks() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.SiLU(), nn.Flatten(), nn.Linear(144, 2))
    network.register_parameter("unused", nn.Parameter(torch.ones(3)))
    return network, copy.deepcopy(network)


def theirs(network: nn.Module, spec: AdamSpec | SgdSpec) -> optim.Optimizer:
    if isinstance(spec, SgdSpec):
        return optim.SGD(network.parameters(), lr=spec.lr, momentum=spec.momentum, weight_decay=spec.weight_decay, fused=True)
    if spec.weight_decay:
        return optim.AdamW(network.parameters(), lr=spec.lr, betas=spec.betas, weight_decay=spec.weight_decay, fused=True)
    return optim.Adam(network.parameters(), lr=spec.lr, betas=spec.betas, fused=True)


def batches() -> Iterator[torch.Tensor]:
    yield from torch.randn(6, 5, 1, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("spec", [*SPECS, *DECAYED], ids=str)
def test_every_weight_and_all_that_is_remembered_equals_pytorchs_bit_for_bit_also_after_a_resume(spec: AdamSpec | SgdSpec) -> None:
    ours, reference = networks()
    optimizer, other = build_optimizer(list(ours.parameters()), spec), theirs(reference, spec)
    for step, batch in enumerate(batches()):
        if step == 3:
            slots, optimizer = optimizer.slots, build_optimizer(list(ours.parameters()), spec)
            optimizer.load(copy.deepcopy(slots))
        for network in (ours, reference):
            network.zero_grad()
            network(batch).square().mean().backward()
        optimizer.step(spec.lr)
        other.step()
        assert all(torch.equal(mine, its) for mine, its in zip(ours.parameters(), reference.parameters(), strict=True))
    wanted = {place: {name: value for name, value in slots.items() if value is not None} for place, slots in other.state.items()}
    wanted = {place: wanted[weight] for place, weight in enumerate(reference.parameters()) if wanted.get(weight)}
    assert optimizer.slots.keys() == wanted.keys()
    for place, slots in wanted.items():
        assert slots.keys() == optimizer.slots[place].keys()
        assert all(torch.equal(value, optimizer.slots[place][name]) for name, value in slots.items())


@pytest.mark.skipif(not native.INSTALLED, reason="Numba is an optional extra: pip install 'tauscope[native]'")
@pytest.mark.parametrize("spec", [SPECS[0], DECAYED[0]], ids=str)
def test_adam_in_machine_code_moves_weights_as_pytorchs_does_also_after_a_resume(spec: AdamSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    generator = torch.Generator().manual_seed(0)
    ours, reference = (nn.Parameter(torch.linspace(-1, 1, 77)) for _ in range(2))
    for parameter in (ours, reference):
        parameter.grad = torch.zeros(77)
    optimizer, other = build_optimizer([ours], spec, whole=True), build_optimizer([reference], spec)
    assert isinstance(optimizer, CompiledAdam)
    for step in range(20):
        if step == 10:
            slots, optimizer = optimizer.slots, build_optimizer([ours], spec, whole=True)
            optimizer.load(copy.deepcopy(slots))
        slope = torch.randn(77, generator=generator) * 10.0 ** torch.randint(-6, 3, (77,), generator=generator)
        for parameter, moved in ((ours, optimizer), (reference, other)):
            parameter.grad.copy_(slope)  # type: ignore[union-attr]
            moved.step(spec.lr)
    torch.testing.assert_close(ours, reference, rtol=0, atol=20 * 2**-23)  # Of 20 steps one rounding each, of weights of about 1.
    assert optimizer.slots[0].keys() == other.slots[0].keys()
    for name, value in other.slots[0].items():
        torch.testing.assert_close(optimizer.slots[0][name], value, rtol=1e-5, atol=0)


def test_a_process_that_trains_loads_no_compiler() -> None:
    code = (
        "import sys, torch, tauscope.execution.child\n"
        "from tauscope.specs.optimizer import AdamSpec\n"
        "from tauscope.training.optimizers import build_optimizer\n"
        "network = torch.nn.Linear(2, 1)\n"
        "network(torch.ones(1, 2)).sum().backward()\n"
        "build_optimizer(list(network.parameters()), AdamSpec()).step(0.1)\n"
        "assert not {'torch._dynamo', 'sympy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
