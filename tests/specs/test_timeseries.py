"""A spec of the kind timeseries is told apart by its tag, checked, and counted."""

import pytest

from tauscope.analysis.metrics_info import metric_infos
from tauscope.networks.unet1d import UNet1d
from tauscope.specs import SpecError, load_preset, parse_sweep
from tauscope.specs.network1d import UNet1dSpec
from tauscope.specs.timeseries import DISTANCES, TimeseriesSpec


def document(**changes: object) -> dict[str, object]:
    return {"name": "made", "base": {"kind": "timeseries", "onsets": {"tau_gen": {"metric": "spectral_distance", "level": 3}}, **changes}}


def test_the_preset_is_of_its_kind_and_aliases_reach_its_fields() -> None:
    base = load_preset("weather").sweep.base
    assert isinstance(base, TimeseriesSpec)
    assert base.n_train == base.dataset.n_train
    assert parse_sweep(document(dataset={"length": 32})).base.dataset.length == 32  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"dataset": {"length": 25}}, "base", "dataset.length 25 cannot be halved 1 times. Use a multiple of 2"),
        ({"measurement": {"dtw_radius": 24}}, "base", "is no band in a window of 24 steps"),
        ({"dataset": {"gap": 3}}, "base.dataset", "gap 3 is less than a window of length 24"),
        ({"network": {"base_width": 12}}, "base.network.base_width", "multiple of 8"),
        ({"onsets": {"tau_gen": {"metric": "frechet_pca", "level": 3}}}, "base", "marginal_distance, autocorrelation_distance"),
        ({"network": {"name": "unet"}}, "base.network.name", "unet1d"),
    ],
)
def test_what_cannot_be_run_is_named_with_a_remedy(changes: dict[str, object], path: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_sweep(document(**changes))
    assert caught.value.problems[0].path == path
    assert words in str(caught.value)


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("network", [UNet1dSpec(base_width=8), UNet1dSpec(base_width=16, multipliers=(1, 1, 3), blocks=2)])
def test_parameters_are_counted_as_they_are_built(network: UNet1dSpec, channels: int) -> None:
    built = UNet1d(channels, network.base_width, network.multipliers, blocks=network.blocks)
    assert network.parameters(channels) == sum(weight.numel() for weight in built.parameters())


def test_parameters_are_known_where_the_channels_are_named() -> None:
    assert TimeseriesSpec.model_validate(document()["base"]).parameters is None
    assert load_preset("weather").sweep.base.parameters == UNet1dSpec(base_width=32).parameters(4)


def test_every_share_of_copies_has_its_control_and_every_distance_its_floor_and_training_line() -> None:
    infos = metric_infos(load_preset("weather").sweep.base)
    shares = [info for info in infos.values() if info.role == "memorization"]
    assert {"f_mem", "f_mem_dtw"} < {info.name for info in shares}
    assert all(info.control in infos for info in shares)
    for name in DISTANCES:
        assert infos[f"{name}_distance"].control == f"{name}_distance_floor"
        assert f"{name}_distance_train" in infos
    assert "period 24" in infos["f_mem_control_phase"].label
