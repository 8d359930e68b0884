"""diffusers' UNet2DModel as the paper's network: the same layers with the same weights."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from tauscope.networks import UNet


class Answer(nn.Module):
    """The model with its answer as a tensor."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        sample: Tensor = self.model(x_t, t).sample
        return sample


def peer(width: int) -> Answer:
    """Multipliers (1, 2, 4), two blocks a level, attention at the two lower levels and in the middle, 8 groups, 4 heads."""
    from diffusers import UNet2DModel  # type: ignore[import-not-found]
    from diffusers.models.attention_processor import Attention  # type: ignore[import-not-found]

    model = UNet2DModel(
        sample_size=32,
        in_channels=1,
        out_channels=1,
        block_out_channels=(width, 2 * width, 4 * width),
        layers_per_block=2,
        down_block_types=("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=8,
        attention_head_dim=width // 4,
        flip_sin_to_cos=False,
        freq_shift=1,
    )
    model.time_embedding.act = nn.GELU()
    for module in model.modules():
        if isinstance(module, Attention):  # It takes a width of head for all levels; the paper has a number of heads.
            module.heads = 4
            module.scale = (module.to_q.out_features // 4) ** -0.5
    return Answer(model)


@torch.no_grad()
def same_weights(ours: UNet, answer: Answer) -> Answer:
    """Give the peer the weights of our network.

    Raises:
        ValueError: if one has a weight that the other has not.
    """
    copied = 0
    for mine, theirs in _pairs(ours, answer.model):
        for source, target in zip(mine, theirs, strict=True):
            target.copy_(source)
            copied += target.numel()
    if copied != sum(weight.numel() for weight in answer.parameters()) or copied != sum(weight.numel() for weight in ours.parameters()):
        raise ValueError("the two networks do not have the same parameters")
    return answer


Weights = tuple[Tensor, ...]


def _of(*layers: nn.Module) -> Weights:
    return tuple(weight for layer in layers for weight in (layer.weight, layer.bias))  # type: ignore[misc]


def _pairs(ours: Any, model: Any) -> Iterator[tuple[Weights, Weights]]:
    yield _of(ours.init, ours.time.project[0], ours.time.project[2]), _of(model.conv_in, *_linears(model.time_embedding))
    yield _of(ours.out[0], ours.out[2]), _of(model.conv_norm_out, model.conv_out)
    encoder, decoder = iter(ours.encoder), iter(ours.decoder)
    for level in model.down_blocks:
        yield from _level(encoder, level, level.downsamplers)
    yield from _stage(ours.middle[0], model.mid_block.resnets[0], model.mid_block.attentions[0])
    yield from _stage(ours.middle[1], model.mid_block.resnets[1], None)
    for level in model.up_blocks:
        yield from _level(decoder, level, level.upsamplers)


def _linears(embedding: Any) -> tuple[nn.Module, nn.Module]:
    return embedding.linear_1, embedding.linear_2


def _level(stages: Iterator[Any], level: Any, resampled: Any) -> Iterator[tuple[Weights, Weights]]:
    attentions = getattr(level, "attentions", [None] * len(level.resnets))
    for block, attention in zip(level.resnets, attentions, strict=True):
        yield from _stage(next(stages), block, attention)
    if resampled:
        yield _of(next(stages).conv), _of(resampled[0].conv)


def _stage(stage: Any, block: Any, attention: Any) -> Iterator[tuple[Weights, Weights]]:
    mine = stage.block
    yield (
        _of(mine.norm1, mine.conv1, mine.time, mine.norm2, mine.conv2),
        _of(block.norm1, block.conv1, block.time_emb_proj, block.norm2, block.conv2),
    )
    if block.conv_shortcut is not None:
        yield _of(mine.shortcut), _of(block.conv_shortcut)
    if attention is not None:
        qkv = stage.attention.qkv
        separate = [part for pair in zip(qkv.weight.chunk(3), qkv.bias.chunk(3), strict=True) for part in pair]
        yield tuple(separate), _of(attention.to_q, attention.to_k, attention.to_v)
        yield _of(stage.attention.norm, stage.attention.out), _of(attention.group_norm, attention.to_out[0])
