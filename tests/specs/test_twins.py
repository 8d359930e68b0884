"""Who is whose twin follows from the specs alone, and is the same whichever of the two came first."""

from itertools import permutations

import pytest

from tauscope.specs import ImageDdpmSpec, SpecError, apply_settings, load_preset
from tauscope.specs.fork import ForkSpec
from tauscope.specs.twins import find_pairs, twin_spec


def spec(*, subset: int = 0, seed: int = 4, **settings: object) -> ImageDdpmSpec:
    found = apply_settings(load_preset("digits-ci").sweep, {"n_train": [16], "subset": subset, "seed": seed, "steps": 300, **settings})
    return found.resolve()[0].spec


def test_a_twin_has_other_images_and_other_weights_and_nothing_else() -> None:
    run = spec()
    twin = twin_spec(run)
    assert (twin.dataset.subset, twin.seed) == (1, 5)
    same = {"dataset": run.dataset.model_copy(update={"subset": 1}), "seed": 5}
    assert twin == run.model_copy(update=same)


def test_the_twin_of_the_twin_is_the_run_on_every_slice() -> None:
    for subset in range(6):
        run = spec(subset=subset, seed=subset + 3)
        twin = twin_spec(run)
        assert twin_spec(twin) == run
        assert {run.dataset.subset // 2} == {twin.dataset.subset // 2}, "slices go two by two"


def test_pairs_do_not_depend_on_the_order_of_the_runs() -> None:
    runs = [spec(seed=4), spec(subset=1, seed=5), spec(subset=1, seed=4), spec(seed=5), spec(seed=6), spec(subset=2, seed=4)]
    wanted = {(runs[0].identity, runs[1].identity), (runs[3].identity, runs[2].identity)}
    for order in list(permutations(runs))[::97]:
        assert {(order[one].identity, order[other].identity) for one, other in find_pairs(order)} == wanted


def test_runs_that_differ_in_more_than_slice_and_seed_are_no_twins() -> None:
    twin = {"subset": 1, "seed": 5}
    for name, value in (("network.base_width", 24), ("optimizer.lr", 1e-3), ("batch_size", 8), ("process.beta_max", 0.01)):
        assert find_pairs([spec(), spec(**twin, **{name: value})]) == ()
    assert find_pairs([spec(), spec(**twin, steps=600)]) == ((0, 1),), "when they end does not change what they are"


def test_a_run_that_begins_from_a_checkpoint_has_no_twin() -> None:
    forked = spec().model_copy(update={"fork": ForkSpec(run="other", step=10)})
    with pytest.raises(SpecError, match=r"fork: begins from a checkpoint .* starts from scratch"):
        twin_spec(forked)
    assert find_pairs([forked, spec(subset=1, seed=5)]) == ()
