"""A network that is told labels: trained with some of them withheld, measured with them, sampled in their proportions."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tauscope.datasets import Split, load_split
from tauscope.experiments import ImageDdpmExperiment
from tauscope.specs import ImageDdpmSpec, SpecError
from tauscope.specs.dataset import DatasetSpec

CPU = torch.device("cpu")


def document(**network: Any) -> dict[str, Any]:
    return {
        "dataset": {"n_train": 64, "n_held_out": 64},
        "network": {"base_width": 8, "multipliers": [1, 2], "blocks": 1, "attention": [False, True], **network},
        "batch_size": 64,
        "steps": 4,
        "measurement": {"n_generated": 4000, "loss_pairs": 128, "sampler": {"name": "ddim", "steps": 2}},
    }


def experiment(folder: Path, **network: Any) -> ImageDdpmExperiment:
    return ImageDdpmExperiment(ImageDdpmSpec.model_validate(document(**network)), device=CPU, folder=folder)


def test_digits_keep_their_labels_beside_them() -> None:
    split = load_split(ImageDdpmSpec.model_validate(document()).dataset)
    assert split.train_labels is not None and split.held_out_labels is not None
    assert (len(split.train_labels), len(split.held_out_labels)) == (64, 64)
    assert set(split.held_out_labels) == set(range(10))
    # A zero is open in the middle and a one is not: the labels belong to these images.
    images, labels = np.concatenate([split.train, split.held_out]), np.concatenate([split.train_labels, split.held_out_labels])
    middle = images[:, 0, 3:5, 3:5].mean((1, 2))
    assert middle[labels == 0].mean() < 30 < 150 < middle[labels == 1].mean()


def test_labels_are_withheld_at_the_asked_rate_and_the_rest_belong_to_their_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = experiment(tmp_path, classes="labels", label_drop=0.25)
    seen: list[torch.Tensor] = []
    told.trainer.network.register_forward_pre_hook(lambda _, asked: seen.append(asked[2]))
    monkeypatch.setattr(told.trainer._draws, "_batch", lambda step: torch.arange(64))
    for _ in range(16):
        told.trainer.advance()
    given = torch.stack(seen)
    # 1,024 draws: four standard deviations of the share are 0.054.
    assert float((given == -1).float().mean()) == pytest.approx(0.25, abs=0.054)
    assert told.images.train_labels is not None
    assert bool(((given == -1) | (given == told.images.train_labels)).all())


def test_samples_have_the_training_sets_proportions_and_the_same_labels_at_every_checkpoint(tmp_path: Path) -> None:
    first, second = (experiment(tmp_path, classes="labels").measurement.sampling.labels for _ in range(2))
    assert first is not None and second is not None
    assert torch.equal(first, second)
    known = experiment(tmp_path, classes="labels").images.train_labels
    assert known is not None
    drawn, trained = (torch.bincount(part, minlength=10) / len(part) for part in (first, known))
    assert float((drawn - trained).abs().max()) < 4 * (0.25 / 4000) ** 0.5  # Four standard deviations at most.


def test_losses_are_those_of_the_right_labels(tmp_path: Path) -> None:
    """Asked for the wrong labels, the same network gives another loss; asked for none, another again."""
    told = experiment(tmp_path, classes="labels")
    bank = told.measurement.losses._banks[100][1]
    assert bank.labels is not None and told.images.held_out_labels is not None
    assert torch.equal(bank.labels, told.images.held_out_labels[torch.arange(128) % 64])
    network = told.trainer.network.eval()
    right = bank.losses(network)
    assert np.abs(right - bank.losses(lambda x_t, t, labels: network(x_t, t, (labels + 1) % 10))).max() > 0
    assert np.abs(right - bank.losses(lambda x_t, t, labels: network(x_t, t))).max() > 0


def test_a_data_set_without_labels_is_refused_by_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unlabelled(spec: DatasetSpec, progress: object) -> Split:
        return replace(load_split(spec), train_labels=None, held_out_labels=None)

    monkeypatch.setattr("tauscope.experiments.image_ddpm.load_split", unlabelled)
    with pytest.raises(SpecError, match=r"network\.classes: digits has no labels"):
        experiment(tmp_path, classes="labels")
    experiment(tmp_path)


@pytest.mark.parametrize(
    ("network", "sampler", "message"),
    [
        ({"label_drop": 0.3}, {"name": "ddim"}, "label_drop is given where no label is"),
        ({}, {"name": "ddim", "guidance": 2.0}, "measurement.sampler.guidance needs labels to guide by"),
        ({"classes": "labels", "label_drop": 0}, {"name": "ddim"}, "greater than 0"),
        ({}, {"name": "dpm_solver", "steps": 1000}, "measurement.sampler.steps exceeds the 999 trained diffusion indices"),
    ],
)
def test_settings_that_need_others_are_refused_with_a_remedy(network: dict[str, Any], sampler: dict[str, Any], message: str) -> None:
    asked = document(**network)
    asked["measurement"]["sampler"] = sampler
    with pytest.raises(ValueError, match=message):
        ImageDdpmSpec.model_validate(asked)


def test_a_spec_from_before_labels_is_read_as_it_was() -> None:
    stored = ImageDdpmSpec.model_validate(document()).model_dump(mode="json")
    del stored["network"]["classes"], stored["network"]["label_drop"], stored["measurement"]["sampler"]["guidance"]
    assert ImageDdpmSpec.model_validate(stored) == ImageDdpmSpec.model_validate(document())
