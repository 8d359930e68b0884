"""The launch page's fields: what they read from a sweep and what they ask to change."""

import pytest

from frontend.sweep_form import FormError, field_of, form_fields, settings_from
from tauscope.specs import SweepSpec, apply_settings, load_preset


def demo() -> SweepSpec:
    return load_preset("digits-demo").sweep


def typed(**changes: str) -> dict[str, str]:
    return {field.key: field.text for field in form_fields(demo().model_dump(mode="json"))} | changes


def settings(**changes: str) -> dict[str, object]:
    return settings_from(demo().model_dump(mode="json"), typed(**changes))


def test_untouched_fields_change_nothing() -> None:
    assert settings() == {}


def test_a_longer_axis_with_its_steps_resolves_to_as_many_runs() -> None:
    changed = apply_settings(demo(), settings(n_train="16, 32, 64, 128", steps="450, 1100, 2400, 6000", seed="4, 5"))
    runs = changed.resolve()
    assert len(runs) == 8
    assert {run.spec.dataset.n_train: run.spec.steps for run in runs}[128] == 6000


def test_one_step_count_holds_for_every_n() -> None:
    runs = apply_settings(demo(), settings(steps="100")).resolve()
    assert {run.spec.steps for run in runs} == {100}


def test_steps_that_do_not_match_the_axis_are_refused_at_their_field() -> None:
    with pytest.raises(FormError) as caught:
        settings(n_train="16, 32")
    assert caught.value.error.path == "steps"
    assert "one for each n" in caught.value.error.remedy


def test_what_is_no_number_is_refused_with_an_example() -> None:
    with pytest.raises(FormError) as caught:
        settings(n_train="sixteen")
    assert caught.value.error.path == "n_train"


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("run(n_train=1).dataset.n_train", "n_train"),
        ("axes.n_train", "n_train"),
        ("overrides.steps.values", "steps"),
        ("base.optimizer.lr", None),
    ],
)
def test_an_error_is_shown_at_the_field_its_path_belongs_to(path: str, key: str | None) -> None:
    assert field_of(path, ["name", "n_train", "steps", "seed"]) == key
