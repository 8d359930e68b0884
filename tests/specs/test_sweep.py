"""A sweep resolves to complete runs, and whatever is wrong with it is said at the field."""

import pytest
import yaml
from pydantic import ValidationError

from tauscope.specs import ImageDdpmSpec, SpecError, apply_settings, load_preset, parse_sweep, preset_names
from tauscope.specs.stopping import BudgetPolicy, CopyingPolicy, WindowPolicy


def small(**changes: object) -> dict[str, object]:
    return {"name": "small", "base": {"kind": "image_ddpm"}, **changes}


def test_every_preset_resolves_and_round_trips_through_json() -> None:
    for name in preset_names():
        sweep = load_preset(name).sweep
        assert parse_sweep(sweep.model_dump(mode="json")) == sweep
        assert sweep.resolve()


def test_the_demo_trains_longer_on_more_images() -> None:
    runs = load_preset("digits-demo").sweep.resolve()
    assert [(run.spec.dataset.n_train, run.spec.steps) for run in runs] == [(16, 450), (32, 1100), (64, 2400)]


def test_crossed_axes_give_every_combination_and_zipped_axes_go_in_step() -> None:
    axes = {"n_train": [16, 32], "seed": [1, 2]}
    crossed = parse_sweep(small(axes=axes)).resolve()
    zipped = parse_sweep(small(axes=axes, combine="zip")).resolve()
    assert [tuple(run.params.values()) for run in crossed] == [(16, 1), (16, 2), (32, 1), (32, 2)]
    assert [tuple(run.params.values()) for run in zipped] == [(16, 1), (32, 2)]


def test_an_optimizer_can_be_an_axis() -> None:
    runs = parse_sweep(small(axes={"optimizer": [{"name": "adam"}, {"name": "sgd", "lr": 0.1}]})).resolve()
    assert [run.spec.optimizer.name for run in runs] == ["adam", "sgd"]
    assert runs[0].label == "optimizer=adam"


def test_a_setting_beats_an_override_and_a_list_makes_an_axis() -> None:
    sweep = apply_settings(load_preset("digits-ci").sweep, {"steps": 30, "seed": [1, 2], "n_train": [8]})
    assert [(run.spec.steps, run.spec.seed, run.spec.dataset.n_train) for run in sweep.resolve()] == [(30, 1, 8), (30, 2, 8)]


def test_a_list_for_a_field_that_is_a_list_stays_one_value() -> None:
    sweep = apply_settings(load_preset("digits-ci").sweep, {"measurement.loss_indices": [40, 100]})
    assert {run.spec.measurement.loss_indices for run in sweep.resolve()} == {(40, 100)}


@pytest.mark.parametrize(
    ("document", "path", "says"),
    [
        (small(base={"kind": "image_dpm"}), "base.kind", "image_ddpm"),
        (small(base={"stepz": 3}), "base.stepz", "spelling"),
        (small(base={"network": {"base_width": 12}}), "base.network.base_width", "multiple of 8"),
        (small(base={"network": {"multipliers": [1, 2]}}), "base.network", "same length"),
        (small(base={"optimizer": {"name": "adam", "lr": -1}}), "base.optimizer.lr", "greater than 0"),
        (small(base={"optimizer": {"name": "adam", "lr": float("nan")}}), "base.optimizer.lr", "finite"),
        (small(base={"device": "gpu"}), "base.device", "cuda:0"),
        (small(base={"onsets": {"tau_gen": {"metric": "fid", "level": 1}}}), "base", "frechet_pca"),
        (small(base={"measurement": {"loss_indices": [1000]}}), "base", "999"),
        (small(base={"measurement": {"schedule": {"kind": "explicit", "at": [5, 5]}}}), "base.measurement.schedule.at", "increase"),
        (small(axes={"n_train": []}), "axes", "no values"),
        (small(axes={"n_train": [16, 16]}), "axes", "repeats"),
        (small(axes={"n_trian": [16]}), "axes.n_trian", "Known here"),
        (small(axes={"n_train": [16, 1]}), "run(n_train=1).dataset.n_train", "greater than or equal to 2"),
        (small(axes={"n_train": [16], "seed": [1, 2]}, combine="zip"), "spec", "differ in length"),
        (small(axes={"n_train": [16]}, overrides={"steps": {"by": "n_train", "values": {8: 5}}}), "overrides.steps.values", "16"),
        (small(axes={"n_train": [16]}, overrides={"steps": {"by": "width", "values": {}}}), "spec", "no axis"),
        ([], "spec", "mapping"),
    ],
)
def test_a_bad_sweep_names_the_field_and_the_remedy(document: object, path: str, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_sweep(document)
    problem = caught.value.problems[0]
    assert problem.path == path
    assert says in str(problem)
    assert problem.remedy


def test_all_faults_of_a_spec_are_told_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        parse_sweep(small(base={"steps": 0, "seed": -1, "device": "tpu"}))
    assert {problem.path for problem in caught.value.problems} == {"base.steps", "base.seed", "base.device"}


def test_specs_are_frozen() -> None:
    with pytest.raises(ValidationError):
        ImageDdpmSpec().steps = 3  # type: ignore[misc]


def test_a_full_batch_has_the_size_of_the_training_set() -> None:
    assert ImageDdpmSpec.model_validate({"batch_size": "full", "dataset": {"n_train": 48}}).batch == 48


def test_a_schedule_ends_with_the_last_step_and_never_repeats() -> None:
    schedule = ImageDdpmSpec().measurement.schedule
    steps = schedule.steps(40)
    assert steps[-1] == 40
    assert list(steps) == sorted(set(steps))
    assert schedule.steps(3) == (3,)


def test_a_preset_is_readable_yaml_with_a_sentence_on_what_it_shows() -> None:
    for name in preset_names():
        assert yaml.safe_load(load_preset(name).text)["summary"]


def test_an_unknown_preset_lists_those_there_are() -> None:
    with pytest.raises(SpecError, match="digits-demo"):
        load_preset("digits")


def test_the_options_of_a_policy_are_set_by_their_path() -> None:
    sweep = apply_settings(load_preset("digits-ci").sweep, {"stopping.name": "copying", "stopping.level": 0.05})
    assert {run.spec.stopping for run in sweep.resolve()} == {CopyingPolicy(level=0.05)}


def test_a_policy_can_be_an_axis() -> None:
    sweep = parse_sweep(small(axes={"stopping": [{"name": "budget"}, {"name": "window", "patience": 3}]}))
    assert [run.spec.stopping for run in sweep.resolve()] == [BudgetPolicy(), WindowPolicy(patience=3)]


def test_a_spec_from_before_policies_means_the_same_as_ever() -> None:
    known = ImageDdpmSpec().model_dump(mode="json")
    assert ImageDdpmSpec.model_validate({name: value for name, value in known.items() if name not in {"stopping", "retention"}}) == (
        ImageDdpmSpec()
    )


def test_a_policy_warns_by_a_loss_gap_that_is_measured() -> None:
    with pytest.raises(SpecError, match=r"gap_index 7 is not measured\. Choose from 10, 100"):
        parse_sweep(small(base={"kind": "image_ddpm", "stopping": {"name": "window", "gap_index": 7}}))


def test_a_further_run_stands_beside_the_combinations_and_says_what_it_needs() -> None:
    sweep = apply_settings(load_preset("digits-demo").sweep, {"further": [{"n_train": 32, "subset": 1}, {"n_train": 16, "steps": 900}]})
    runs = sweep.resolve()
    assert [run.label for run in runs[3:]] == ["n_train=32, subset=1", "n_train=16"]
    assert [(run.index, run.spec.dataset.subset, run.spec.steps) for run in runs[3:]] == [(3, 1, 1100), (4, 0, 900)]
    assert parse_sweep(sweep.model_dump(mode="json")).resolve() == runs


def test_a_further_run_that_a_larger_axis_holds_is_one_run() -> None:
    sweep = parse_sweep(small(axes={"subset": [0, 1]}, further=[{"subset": 1}]))
    assert [run.params for run in sweep.resolve()] == [{"subset": 0}, {"subset": 1}]


@pytest.mark.parametrize(
    ("further", "path", "says"),
    [
        ([{"n_trian": 8}], "spec", "further.0 has no value for n_train"),
        ([{"n_train": 16, "subste": 1}], "further.0.subste", "no field"),
        ([{"n_train": 16, "subset": -1}], "run(n_train=16, subset=-1).dataset.subset", "greater than or equal"),
    ],
)
def test_what_is_wrong_with_a_further_run_is_said_at_its_field(further: list[dict[str, object]], path: str, says: str) -> None:
    with pytest.raises(SpecError) as raised:
        apply_settings(load_preset("digits-demo").sweep, {"further": further})
    assert raised.value.problems[0].path == path
    assert says in f"{raised.value.problems[0]}"
