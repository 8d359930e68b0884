"""A run measures what its spec asks of feature networks, beside its controls, and nothing else of it changes."""

from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from pydantic import ValidationError

from tauscope.analysis.metrics_info import metric_infos
from tauscope.analysis.onsets import tau_gen
from tauscope.contracts.points import Point
from tauscope.datasets import load_split
from tauscope.experiments.image_measurement import ImageMeasurement
from tauscope.experiments.image_quality import ImageQuality
from tauscope.experiments.image_set import ImageSet
from tauscope.experiments.sampling import SamplingBrokenOffError
from tauscope.process import linear_schedule
from tauscope.specs import ImageDdpmSpec, SpecError
from tauscope.specs.features import QualityMetric
from tests.features.networks import Small, saved

ALL = get_args(QualityMetric)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAUSCOPE_CACHE", str(tmp_path / "cache"))


def spec(*features: dict[str, Any], n_train: int = 64, **more: Any) -> ImageDdpmSpec:
    measurement = {"n_generated": 100, "features": list(features)}
    return ImageDdpmSpec.model_validate({"dataset": {"n_train": n_train, "n_held_out": 400}, "measurement": measurement, **more})


def images(of: ImageDdpmSpec) -> ImageSet:
    split = load_split(of.dataset)
    return ImageSet(torch.from_numpy(split.train).float() / 255, torch.from_numpy(split.held_out).float() / 255)


def measured(of: ImageDdpmSpec, generated: torch.Tensor) -> dict[str, Point]:
    quality = ImageQuality(of, images(of))
    points = [*quality.points(generated, 7, between=lambda: None), *quality.baselines(7, between=lambda: None)]
    assert len({point.metric for point in points}) == len(points)
    return {point.metric: point for point in points}


def real(count: int = 100) -> torch.Tensor:
    """Digits that are neither trained on nor held out."""
    split = load_split(ImageDdpmSpec.model_validate({"dataset": {"n_train": 600, "subset": 0, "n_held_out": 400}}).dataset)
    return torch.from_numpy(split.train[-count:]).float() / 255


def test_every_quality_is_measured_with_its_floor_and_its_copier_as_its_information_says() -> None:
    wanted = spec({"name": "pixels_pca", "components": 12, "metrics": ALL})
    found = measured(wanted, real())
    described = {name: info for name, info in metric_infos(wanted).items() if name.partition("_floor")[0].endswith(("pca", "pca_train"))}
    assert found.keys() == described.keys()
    for point in found.values():
        assert point.value is not None
        assert point.low is not None and point.high is not None
        assert point.low <= point.value <= point.high
        assert point.count and point.count <= 100
    assert all(described[info.control].role == "control" for info in described.values() if info.control)


def test_controls_tell_copies_from_real_images() -> None:
    """Samples that are training images: exactly what a perfect copier scores, and far from the floor where a metric sees copying."""
    wanted = spec({"name": "pixels_pca", "components": 12, "metrics": ALL})
    copied = measured(wanted, images(wanted).train)
    of_real = measured(wanted, real())
    for metric in ALL:
        name = f"{metric}_pixels_pca"
        assert copied[name].value == pytest.approx(copied[f"{name}_train"].value, rel=1e-9)
    for seeing in ("c_t", "authenticity", "fld_gap"):
        name = f"{seeing}_pixels_pca"
        assert copied[name].high < of_real[f"{name}_floor"].low  # type: ignore[operator]
        assert of_real[name].high > of_real[f"{name}_floor"].low  # type: ignore[operator]
    assert copied["frechet_to_train_pixels_pca"].value < of_real["frechet_to_train_pixels_pca_floor"].value  # type: ignore[operator]


def test_a_torchscript_network_and_several_reference_sets(tmp_path: Path) -> None:
    path = saved(Small(), tmp_path / "net.pt", torch.zeros(2, 3, 8, 8))
    own = {"name": "torchscript", "path": str(path), "label": "mine", "size": 8, "sets": 5, "samples": 50}
    found = measured(spec(own), real())
    point = found["frechet_mine"]
    assert point.count == 50
    assert point.low < point.value < point.high  # type: ignore[operator]
    assert found["kid_mine_floor"].count == 50
    info = metric_infos(spec(own))["frechet_mine"]
    assert "5 disjoint sets of 70" in info.definition
    assert info.control == "frechet_mine_floor"


def test_what_too_few_training_images_cannot_show_is_missing_with_the_reason() -> None:
    found = measured(spec({"name": "pixels_pca", "components": 4, "metrics": ["recall", "kid"]}, n_train=3), real())
    assert found["recall_pixels_pca"].value is not None
    assert found["recall_pixels_pca_train"].value is None
    assert "give at least 6" in (found["recall_pixels_pca_train"].reason or "")


def test_a_quality_of_features_may_define_tau_gen_if_lower_is_better() -> None:
    features = {"name": "pixels_pca", "metrics": ["kid", "coverage"]}
    chosen = spec(features, onsets={"tau_gen": {"metric": "kid_pixels_pca", "level": 0.1}})
    points = [Point(step=s, metric="kid_pixels_pca", value=v, low=v - 0.01, high=v + 0.01) for s, v in ((10, 0.4), (20, 0.0), (40, -0.1))]
    assert tau_gen(points, chosen.onsets.tau_gen.metric, 0.1).value == pytest.approx(17, abs=2)
    with pytest.raises(ValueError, match="is not measured"):
        spec(features, onsets={"tau_gen": {"metric": "coverage_pixels_pca", "level": 0.9}})


def test_nothing_else_changes_and_stored_specs_stay_readable() -> None:
    plain = spec()
    stored = plain.model_dump(mode="json")
    del stored["measurement"]["features"]
    assert ImageDdpmSpec.model_validate(stored) == plain
    without, with_features = measured(plain, real()), measured(spec({"name": "pixels_pca"}), real())
    assert {name: with_features[name] for name in without} == without


def test_features_end_with_the_sampling_when_nobody_waits_any_more(tmp_path: Path) -> None:
    wanted = spec({"name": "pixels_pca"})
    diffusion = linear_schedule(1000, beta_min=1e-4, beta_max=0.02, first_trained_index=1)
    measurement = ImageMeasurement(wanted, images(wanted), diffusion)
    shares: list[float] = []

    def go_on(share: float) -> bool:
        shares.append(share)
        return share < 1

    class Zero(torch.nn.Module):
        def forward(self, x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            return torch.zeros_like(x_t)

    with pytest.raises(SamplingBrokenOffError):
        measurement.samples(Zero(), 5, tmp_path / "5.npz", {}, go_on=go_on)
    assert shares[-1] == 1.0


def test_samples_that_are_no_images_leave_every_metric_missing() -> None:
    wanted = spec({"name": "pixels_pca", "metrics": ["frechet", "vendi"]})
    points = ImageQuality(wanted, images(wanted)).diverged(3, 100)
    assert [(point.metric, point.value, point.reason) for point in points[1:]] == [
        (name, None, "diverged") for name in ("frechet_pixels_pca", "vendi_pixels_pca", "frechet_to_train_pixels_pca")
    ]


@pytest.mark.parametrize(
    ("features", "words"),
    [
        ([{"name": "pixels_pca"}, {"name": "pixels_pca", "components": 3}], "more than once"),
        ([{"name": "pixels_pca", "metrics": ["kid", "kid"]}], "more than once"),
        ([{"name": "pixels_pca", "sets": 20}], "Raise held_out"),
        ([{"name": "torchscript", "path": "x", "label": "inception"}], "Choose a label of your own"),
        ([{"name": "torchscript"}], "Add this field"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_the_remedy(features: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ValidationError) as error:
        spec(*features)
    (problem,) = SpecError.from_validation(error.value).problems
    assert words in f"{problem.message} {problem.remedy}"
    assert "measurement" in f"{problem.path} {problem.message}"


def test_only_inception_is_called_fid() -> None:
    names = metric_infos(spec({"name": "inception"}, {"name": "mobilenet_v2"}))
    assert "FID" in names["fid_inception"].label
    assert "2048" in names["fid_inception"].definition and "299 x 299" in names["fid_inception"].definition
    assert "not an FID" in names["frechet_mobilenet_v2"].definition
    assert not [name for name, info in names.items() if "FID" in info.label and "inception" not in name]
