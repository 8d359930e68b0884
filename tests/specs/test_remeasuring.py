"""What may be measured again, and how a set is named and recognised."""

import pytest

from tauscope.specs import SpecError, load_preset
from tauscope.specs.remeasuring import OWN_SETTINGS, changes_key, changes_of, changes_words, remeasured, with_changes

SPEC = load_preset("digits-ci").sweep.base


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, OWN_SETTINGS),
        ({"n_generated": SPEC.measurement.n_generated}, OWN_SETTINGS),
        ({"n_generated": 4096, "sampler.steps": 50}, "n_generated 4,096, sampler.steps 50"),
        ({"sampler": {"name": "ancestral"}}, "sampler.name ancestral"),
        ({"loss_indices": [10, 100, 300]}, "loss_indices 10, 100, 300"),
        (
            {"features": [{"name": "inception", "metrics": ["frechet", "kid"], "samples": 64}]},
            "features inception (metrics frechet, kid; samples 64; held_out 1,000; train 1,000; sets 1)",
        ),
    ],
)
def test_a_set_is_named_by_what_differs_from_the_run(asked: dict[str, object], words: str) -> None:
    changes = changes_of(SPEC, remeasured(SPEC, asked))
    assert changes_words(SPEC, changes) == words
    assert with_changes(SPEC, changes) == remeasured(SPEC, asked)


def test_the_same_changes_are_recognised_however_they_are_written() -> None:
    one = changes_of(SPEC, remeasured(SPEC, {"sampler.steps": 50, "n_generated": 4096}))
    other = changes_of(SPEC, remeasured(SPEC, {"n_generated": 4096, "sampler": {"name": "ddim", "steps": 50}}))
    assert changes_key(one) == changes_key(other) != changes_key({})


@pytest.mark.parametrize(
    ("asked", "path", "said"),
    [
        ({"schedule.count": 30}, "schedule.count", "Name the steps"),
        ({"n_generated": 5}, "n_generated", "greater than or equal to 32"),
        ({"n_generated": [64, 128]}, "n_generated", "Give one value"),
        ({"samples": 64}, "samples", "Known here: schedule"),
        ({"sampler.steps": 5000}, "measurement", "exceeds the 999 trained"),
        ({"loss_indices": [10]}, "measurement", "onsets.tau_gen.metric is not measured"),
    ],
)
def test_a_change_that_cannot_be_is_refused_by_name(asked: dict[str, object], path: str, said: str) -> None:
    with pytest.raises(SpecError) as refused:
        remeasured(SPEC, asked)
    problem = refused.value.problems[0]
    assert problem.path == path and said in str(problem)
