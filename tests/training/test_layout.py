"""A run whose kernels are laid out channels last resumes to the last bit, its optimizer's moments laid out likewise."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tauscope.experiments.image_ddpm import build_network
from tauscope.networks.unet import memory_format
from tauscope.process import Diffusion
from tauscope.specs import ImageDdpmSpec
from tauscope.training.checkpoints import load_checkpoint, save_checkpoint
from tauscope.training.trainer import Trainer

CPU = torch.device("cpu")


def trainer(optimizer: dict[str, Any]) -> Trainer:
    spec = ImageDdpmSpec.model_validate(
        {
            "dataset": {"n_train": 8, "size": 16},
            "network": {"base_width": 8, "multipliers": [1, 2], "blocks": 1, "attention": [False, True]},
            "optimizer": optimizer,
            "batch_size": 8,
            "steps": 8,
        }
    )
    diffusion = Diffusion.of(spec.process)
    network = build_network(spec, diffusion, channels=1, data_std=0.5).to(memory_format=memory_format(CPU, 16))  # type: ignore[call-overload]
    return Trainer(spec, network, diffusion, torch.randn(8, 1, 16, 16, generator=torch.Generator().manual_seed(1)))


@pytest.mark.parametrize("optimizer", [{"name": "adam", "lr": 1e-2}, {"name": "sgd", "lr": 1e-2}], ids=["adam", "sgd"])
def test_a_run_of_16x16_images_resumes_to_the_last_bit(tmp_path: Path, optimizer: dict[str, Any]) -> None:
    whole, resumed = trainer(optimizer), trainer(optimizer)
    for _ in range(2):
        whole.advance()
    load_checkpoint(resumed, save_checkpoint(whole, tmp_path).state)
    for _ in range(2):
        whole.advance()
        resumed.advance()
    kernels = [weight for weight in resumed.network.parameters() if weight.ndim == 4]
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in kernels)
    for mine, theirs in zip(resumed.network.parameters(), whole.network.parameters(), strict=True):
        assert torch.equal(mine, theirs)
