"""A tiny real training, for tests of the service around it."""

from typing import Any

PRESET = "digits-ci"


def tiny_training(*, runs: int, steps: int, checkpoints: int) -> dict[str, Any]:
    """Settings of ``PRESET``: 8x8 digits, a network of one level, seconds a run, checkpoints of 200 KB."""
    return {
        "n_train": list(range(8, 8 + runs)),
        "steps": steps,
        "batch_size": 8,
        "dataset.n_held_out": 100,
        "network": {"base_width": 8, "multipliers": [1], "blocks": 1, "attention": [False]},
        "n_generated": 32,
        "measurement.sampler.steps": 16,
        "measurement.loss_pairs": 64,
        "measurement.schedule": {"kind": "log_spaced", "first": 10, "count": checkpoints},
    }
