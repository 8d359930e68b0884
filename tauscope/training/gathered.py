"""All weights of a small network in one tensor, which an optimizer and an average move in one operation."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tauscope.training.optimizers import Slots


def gather(parameters: Sequence[nn.Parameter]) -> Tensor:
    """Move parameters into one tensor, into which each is a view from now on."""
    whole = torch.cat([parameter.detach().flatten() for parameter in parameters])
    for parameter, part in zip(parameters, divided(whole, parameters), strict=True):
        parameter.data = part
    return whole


def gather_with_gradients(parameters: Sequence[nn.Parameter]) -> nn.Parameter:
    """The same, as one parameter with a gradient, whose parts are those of the others."""
    whole = nn.Parameter(gather(parameters))
    whole.grad = torch.zeros_like(whole)
    for parameter, part in zip(parameters, divided(whole.grad, parameters), strict=True):
        parameter.grad = part
    return whole


def divided(whole: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """The parts of a tensor that hold tensors like these, as views."""
    parts = whole.split([part.numel() for part in like])
    return [part.view(shape.shape) for part, shape in zip(parts, like, strict=True)]


def divided_slots(slots: dict[int, Slots], like: Sequence[Tensor]) -> dict[int, Slots]:
    """What an optimizer of the whole remembers, as one of the parts would: a checkpoint is the same for both."""
    found: dict[int, Slots] = {place: {} for place in range(len(like))} if slots else {}
    for name, value in slots.get(0, {}).items():
        parts = divided(value, like) if value.ndim else [value.clone() for _ in like]
        for place, part in enumerate(parts):
            found[place][name] = part
    return found


def joined_slots(slots: dict[int, Slots]) -> dict[int, Slots]:
    """The other way round."""
    if not slots:
        return {}
    ordered = [slots[place] for place in sorted(slots)]
    names = ordered[0]
    return {0: {name: torch.cat([part[name].flatten() for part in ordered]) if names[name].ndim else names[name] for name in names}}
