"""The probes of a run: they are what their descriptions name, change no other number, and say when a network is lost."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from tauscope.analysis.metrics_info import metric_infos
from tauscope.contracts.points import Point
from tauscope.experiments import ImageDdpmExperiment
from tauscope.specs import ImageDdpmSpec

CPU = torch.device("cpu")


def spec(probes: dict[str, Any] | None, **dataset: int) -> ImageDdpmSpec:
    return ImageDdpmSpec.model_validate(
        {
            "dataset": {"n_train": 16, "n_held_out": 160, **dataset},
            "network": {"base_width": 8, "multipliers": [1, 2], "blocks": 1, "attention": [False, True]},
            "batch_size": 8,
            "steps": 6,
            "measurement": {
                "schedule": {"kind": "explicit", "at": [6]},
                "loss_schedule": {"kind": "explicit", "at": [2, 4]},
                "n_generated": 32,
                "sampler": {"name": "ddim", "steps": 4},
                "loss_pairs": 32,
                "probes": probes,
            },
        }
    )


class Notebook:
    """Keeps the points that a run reports."""

    def __init__(self) -> None:
        self.points: list[Point] = []

    def dataset(self, train: Path, held_out: Path, record: Path) -> None: ...

    def progress(self, step: int, loss: float) -> None: ...

    def defers_samples(self) -> bool:
        return False

    def sampling(self, step: int, share: float) -> bool:
        return True

    def samples(self, step: int, path: Path, n_generated: int) -> None: ...

    def predictions(self, step: int, path: Path) -> None: ...

    def measured(self, step: int, points: Sequence[Point]) -> None:
        self.points += points

    def checkpoint(self, step: int, weights: Path, state: Path, *, unevaluated: bool) -> None: ...

    def should_end(self) -> bool:
        return False


def measured(chosen: ImageDdpmSpec, folder: Path) -> list[Point]:
    notebook = Notebook()
    assert ImageDdpmExperiment(chosen, device=CPU, folder=folder).run(notebook)
    return notebook.points


def test_probes_are_measured_wherever_the_losses_are_and_change_no_other_number(tmp_path: Path) -> None:
    with_probes, without = spec({"images": 100}), spec(None)
    found = measured(with_probes, tmp_path / "with")
    plain = measured(without, tmp_path / "without")
    added = metric_infos(with_probes).keys() - metric_infos(without).keys()
    assert len(added) == 8
    assert [point for point in found if point.metric not in added] == plain
    assert {(point.metric, point.step) for point in found if point.metric in added} == {
        (name, step) for name in added for step in (2, 4, 6)
    }
    for point in found:
        if point.metric in added:
            assert point.value is not None
            assert (point.low is None) == (point.metric == "stable_rank")
            assert point.count
    assert {info.role for name, info in metric_infos(with_probes).items() if name in added} == {"warning"}


def test_a_network_that_is_no_longer_finite_gives_missing_points(tmp_path: Path) -> None:
    experiment = ImageDdpmExperiment(spec({"images": 100}), device=CPU, folder=tmp_path)
    with torch.no_grad():
        for weight in experiment.trainer.network.parameters():
            weight.fill_(float("nan"))
    found = experiment.measurement.probes.points(experiment.trainer.network, 3)
    assert len(found) == 8
    assert {(point.value, point.reason) for point in found} == {(None, "diverged")}


def test_members_and_the_halves_of_alpha_ho_share_no_held_out_image(tmp_path: Path) -> None:
    experiment = ImageDdpmExperiment(spec({"images": 100}), device=CPU, folder=tmp_path)
    probes, images = experiment.measurement.probes, experiment.images
    (members, _), (others, _) = probes._sides
    assert torch.equal(members, images.to_model(images.train))
    assert torch.equal(others, images.to_model(images.held_out[:100]))
    # The points of the held-out half are noised from images after those; at so little noise the nearest one tells which.
    half = probes._projection.at.x_t[64:] / probes._projection.at.alpha_bar**0.5
    nearest = torch.cdist(half.flatten(1), images.to_model(images.held_out).flatten(1)).argmin(1)
    assert float(((nearest >= 100) & (nearest < 116)).float().mean()) > 0.9


@pytest.mark.parametrize(
    ("probes", "words"),
    [({"index": 1000}, "never trained"), ({"small_index": 0}, "never trained"), ({"images": 150}, "Hold out at least 166")],
)
def test_probes_that_cannot_be_measured_are_refused_with_a_remedy(probes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        spec(probes)
