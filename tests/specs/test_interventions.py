"""Interventions are off unless asked for, leave stored specs what they were, and are refused by field where they make no sense."""

from typing import Any

import pytest

from tauscope.analysis.trajectories import configuration_of
from tauscope.specs import ImageDdpmSpec, SpecError, apply_settings, load_preset, parse_sweep
from tauscope.specs.remeasuring import changes_of, changes_words, remeasured

OLD = {
    "measurement": {"sampler": {"name": "ddim", "steps": 20, "eta": 0.0, "guidance": 0.0}},
    "optimizer": {"name": "adam", "lr": 1e-3, "betas": [0.9, 0.999]},
}


def spec(sampler: dict[str, Any], **further: Any) -> ImageDdpmSpec:
    found = parse_sweep({"name": "x", "base": {"kind": "image_ddpm", "measurement": {"sampler": sampler}, **further}}).base
    assert isinstance(found, ImageDdpmSpec)
    return found


def test_a_spec_that_was_stored_without_them_has_them_off_and_is_of_the_same_configuration() -> None:
    stored = ImageDdpmSpec.model_validate(OLD)
    assert (stored.measurement.sampler.low_pass, stored.measurement.sampler.projection, stored.optimizer.weight_decay) == (None, None, 0)
    later = ImageDdpmSpec.LATER
    for path, off in (("optimizer.weight_decay", 0.0), ("measurement.sampler.low_pass", None), ("measurement.sampler.projection", None)):
        assert later[path] == off
    filtered = spec({"name": "ddim", "steps": 20, "low_pass": {"cutoff": 3.0}}, optimizer=OLD["optimizer"])
    assert configuration_of(filtered) != configuration_of(stored)


@pytest.mark.parametrize(
    ("sampler", "further", "words"),
    [
        ({"low_pass": {"cutoff": 1.0, "edge": 3.0}}, {}, "edge 3 reaches below frequency 0"),
        ({"low_pass": {"cutoff": 30.0}}, {}, "low_pass.cutoff 30 keeps all of an image"),
        ({"projection": {"reference": "population"}}, {}, "reference population is not known for kind image_ddpm"),
        ({"projection": {}}, {"dataset": {"n_train": 64, "n_held_out": 40}}, "as many held-out points as training points"),
        ({"projection": {}}, {"network": {"classes": "labels"}}, "one training score a label"),
        ({"projection": {"most": 2.0}}, {}, "measurement.sampler.ddim.projection.most|measurement.sampler.projection.most"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_field_and_the_remedy(sampler: dict[str, Any], further: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError) as refused:
        spec({"name": "ddim", **sampler}, **further)
    assert any(part in str(refused.value) for part in words.split("|"))
    assert all(problem.remedy for problem in refused.value.problems)


def test_checkpoints_are_measured_again_with_them_and_the_set_says_so_in_words() -> None:
    own = load_preset("digits-ci").sweep.resolve()[0].spec
    again = remeasured(own, {"sampler.projection": {"reference": "held_out"}})
    assert changes_words(own, changes_of(own, again)) == "sampler.projection reference held_out most 1.0"


@pytest.mark.parametrize(
    ("preset", "settings", "path", "words"),
    [
        ("digits-ci", {"penalty": {"cutoff": 30}}, "base", "penalty.cutoff 30 keeps all of an image"),
        ("digits-ci", {"penalty": {"cutoff": 2, "weight": 0}}, "base.penalty.weight", "greater than 0"),
        ("digits-ci", {"network.fourier": {"scale": 0}}, "base.network.fourier.scale", "greater than 0"),
        ("gmm-minute", {"penalty": {"cutoff": 2}}, "penalty", "there is no field 'penalty' here"),
        (
            "digits-ci",
            {"measurement.sampler.projection": {"reference": 20}},
            "base.measurement.sampler.projection.reference",
            "a checkpoint that a run does not have while it is trained",
        ),
        (
            "digits-ci",
            {"measurement.sampler.projection": {"reference": 10_000}},
            "base",
            "measurement.sampler.projection.reference 10000 is no earlier step",
        ),
        ("gmm-interventions", {"again": [{"name": "x", "changes": {"sampler.steps": 30}, "steps": [7]}]}, "again.0", "of step 7"),
        (
            "gmm-interventions",
            {"again": [{"name": "x", "changes": {"sampler.projection": {"reference": 100}}}]},
            "again.0",
            "no checkpoint is kept of step 100",
        ),
        (
            "gmm-interventions",
            {"again": [{"name": "x", "changes": {"sampler.low_pass": {"cutoff": 2}}}]},
            "again.0.changes",
            "filters images, and kind gmm learns none",
        ),
    ],
)
def test_a_launch_that_cannot_be_is_refused_by_its_field(preset: str, settings: dict[str, Any], path: str, words: str) -> None:
    with pytest.raises(SpecError) as refused:
        apply_settings(load_preset(preset).sweep, settings)
    assert any(problem.path.startswith(path) and words in problem.message and problem.remedy for problem in refused.value.problems)


def test_a_set_that_was_stored_before_they_were_there_is_the_same_set() -> None:
    own = load_preset("digits-ci").sweep.resolve()[0].spec
    assert changes_of(own, remeasured(own, {"sampler.steps": 50})) == {
        "sampler": {"name": "ddim", "steps": 50, "eta": 0.0, "guidance": 0.0}
    }
