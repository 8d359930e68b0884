"""The number of trained parameters without PyTorch, against the network itself."""

import pytest

from tauscope.networks import UNet
from tauscope.specs.network import UNetSpec
from tauscope.specs.parameters import trained_parameters


@pytest.mark.parametrize(("width", "parameters"), [(8, 255_089), (32, 4_023_233)])
def test_the_papers_network_is_counted_as_published(width: int, parameters: int) -> None:
    assert trained_parameters(UNetSpec(base_width=width)) == parameters


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "spec",
    [
        UNetSpec(base_width=16, multipliers=(1, 2), blocks=1, attention=(False, True)),
        UNetSpec(base_width=8, multipliers=(2,), blocks=1, attention=(True,)),
        UNetSpec(base_width=24, multipliers=(1, 1, 3), blocks=3, attention=(True, False, False)),
    ],
    ids=lambda spec: f"W={spec.base_width}" if isinstance(spec, UNetSpec) else None,
)
def test_any_layout_is_counted_as_it_is_built(spec: UNetSpec, channels: int) -> None:
    network = UNet(channels, spec.base_width, spec.multipliers, spec.attention, blocks=spec.blocks)
    assert trained_parameters(spec, channels=channels) == sum(weight.numel() for weight in network.parameters())
