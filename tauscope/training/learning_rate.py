"""The learning rate along training."""

import math

from tauscope.specs.optimizer import AdamSpec, SgdSpec


def learning_rate(spec: AdamSpec | SgdSpec, step: int) -> float:
    """The rate of the step that follows ``step`` steps: linear warm-up, then constant or half a cosine down to 0.

    Both are counted from the start of training, so that a resumed run, or a fork, goes on where they were. The cosine has a
    length of its own: the number of steps may grow while a run goes on, and no earlier step may change with it.
    """
    if step < spec.warmup_steps:
        return spec.lr * (step + 1) / spec.warmup_steps
    if spec.cosine_steps is None:
        return spec.lr
    share = min(1.0, (step - spec.warmup_steps) / (spec.cosine_steps - spec.warmup_steps))
    return spec.lr * (1 + math.cos(math.pi * share)) / 2
