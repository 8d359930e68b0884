"""The form made from a kind's schema: fields, texts, axes, what depends on an axis, and faults at their field."""

from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field as PydanticField

from backend.services import catalogue
from frontend.form.form import Form, field_of, make_form
from frontend.form.values import Axis, By, FormError, One, Setting, parse, write
from tauscope.contracts.launching import KindView
from tauscope.contracts.problems import FieldError
from tauscope.specs import KINDS, load_preset, parse_sweep, preset_names
from tauscope.specs.measurement import ProbesSpec
from tauscope.specs.model import SpecModel
from tauscope.specs.optimizer import SgdSpec
from tauscope.specs.shown import shown

IMAGE = next(kind for kind in catalogue.kinds() if kind.name == "image_ddpm")


def document(preset: str = "digits-demo") -> dict[str, Any]:
    return load_preset(preset).sweep.model_dump(mode="json")


def typed(preset: str = "digits-demo", **texts: str) -> Form:
    """The form over a preset with some texts, given as ``dataset__n_train``."""
    start = document(preset)
    return make_form(IMAGE, start, start, {key.replace("__", "."): text for key, text in texts.items()})


def text(form: Form, path: str) -> str:
    return next(field.text for field in form.fields if field.path == path)


@pytest.mark.parametrize(
    ("words", "setting"),
    [
        ("64", One(64)),
        ("1e-3", One(0.001)),
        ("full", One("full")),
        ("none", One(None)),
        ("true, false", Axis((True, False))),
        ("8, 16, 32", Axis((8, 16, 32))),
        ("8..64 x2", Axis((8, 16, 32, 64))),
        ("0..6 +2", Axis((0, 2, 4, 6))),
        ("4..6", Axis((4, 5, 6))),
        ("0.1..0.3 +0.1", Axis((0.1, 0.2, 0.3))),
        ("4, 8..32 ×2", Axis((4, 8, 16, 32))),
        ("450, 1100 by n", By("n", (450, 1100))),
        ("{16: 450} by n", By("n", {"16": 450})),
        ("{name: adam, lr: 0.01}", One({"name": "adam", "lr": 0.01})),
    ],
)
def test_one_text_says_a_value_an_axis_a_range_or_a_dependence(words: str, setting: Setting) -> None:
    assert parse("x", words) == setting
    assert parse("x", write(setting)) == setting


def test_a_value_that_may_only_be_one_thing_or_nothing_is_offered_as_such() -> None:
    form = typed(**{"network__classes": "labels"})
    field = next(field for field in form.fields if field.path == "network.classes")
    assert field.shape.options == ("labels", "none", "labels, none")
    assert form.document["base"]["network"]["classes"] == "labels"
    assert text(typed(), "network.classes") == "none"


def test_a_list_is_one_value_of_a_list_field_and_lists_in_brackets_are_an_axis() -> None:
    assert parse("x", "1, 2, 4", is_list=True) == One([1, 2, 4])
    assert parse("x", "[1, 2], [1, 2, 4]", is_list=True) == Axis(([1, 2], [1, 2, 4]))
    assert write(One([1, 2, 4]), is_list=True) == "1, 2, 4"


@pytest.mark.parametrize("value", ["8", "true", "photos by me", "a, b", "x: y", "a..b"])
def test_a_string_that_looks_like_something_else_is_read_back_as_itself(value: str) -> None:
    assert parse("x", write(One(value), is_text=True), is_text=True) == One(value)
    assert parse("x", write(One(value))) == One(value)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("8, , 16", "a value is missing"),
        ("[1, 2", "not closed"),
        ("64..8 x2", "does not lead upwards"),
        ("8..64 x1", "does not lead upwards"),
        ("1..5000", "more than 1,000 values"),
    ],
)
def test_what_cannot_be_read_says_why_and_gives_an_example(words: str, fault: str) -> None:
    with pytest.raises(FormError, match=fault) as caught:
        parse("steps", words)
    assert caught.value.error.path == "steps"
    assert caught.value.error.remedy


@pytest.mark.parametrize("preset", preset_names())
def test_an_untouched_form_is_the_sweep_it_was_made_from(preset: str) -> None:
    form = typed(preset)
    assert form.document == document(preset)
    assert form.faults == ()
    assert not [field.path for field in form.fields if field.changed]


def test_every_leaf_of_the_spec_has_a_field_with_a_title_and_no_two_titles_are_the_same() -> None:
    form = typed()
    paths = {field.path for field in form.fields}
    assert {
        "dataset.n_train",
        "network.dropout",
        "optimizer",
        "optimizer.lr",
        "measurement.schedule.count",
        "onsets.tau_mem.level",
    } <= paths
    titles = [field.title for field in form.fields]
    assert len(set(titles)) == len(titles)
    assert {"tau_gen: level", "tau_mem: level"} <= set(titles)


def test_groups_come_from_the_schema_and_nested_fields_inherit_them() -> None:
    groups = {name: {field.path for field in fields} for name, fields in typed().groups.items()}
    assert list(groups) == ["Sweep", "Data and network", "Training", "Measurement"]
    assert {"dataset.n_train", "steps", "seed"} == groups["Sweep"]
    assert {"optimizer.lr", "process.beta_min", "ema.decay"} <= groups["Training"]
    assert next(field.advanced for field in typed().fields if field.path == "process.beta_min")


def test_a_list_makes_an_axis_and_what_depends_on_it_follows_its_order() -> None:
    form = typed(dataset__n_train="16..128 x2", steps="450, 1100, 2400, 6000 by n", seed="4, 5")
    runs = parse_sweep(form.document).resolve()
    assert len(runs) == 8
    assert {run.spec.dataset.n_train: run.spec.steps for run in runs} == {16: 450, 32: 1100, 64: 2400, 128: 6000}
    assert {field.path for field in form.fields if field.changed} == {"dataset.n_train", "steps", "seed"}


def test_the_same_values_written_otherwise_are_no_change() -> None:
    assert not [field.path for field in typed(dataset__n_train="16..64 x2").fields if field.changed]


def test_an_axis_that_changed_under_a_dependent_field_is_a_fault_there_with_the_remedy() -> None:
    (fault,) = typed(dataset__n_train="16, 32").faults
    assert (fault.path, fault.message) == ("steps", "3 values for 2 values of n")
    assert "one for each of 16, 32" in fault.remedy


def test_a_single_value_takes_the_place_of_an_override() -> None:
    form = typed(steps="100")
    assert form.document["overrides"] == {}
    assert {run.spec.steps for run in parse_sweep(form.document).resolve()} == {100}


def test_a_dependence_on_what_is_no_axis_names_those_there_are() -> None:
    (fault,) = typed(batch_size="16, 32 by seed").faults
    assert "'seed' is no axis" in fault.message
    assert "axes are: n" in fault.remedy


def test_choosing_a_variant_brings_its_own_fields_with_their_defaults() -> None:
    form = typed(optimizer="sgd")
    assert text(form, "optimizer.momentum") == "0.95"
    assert form.document["base"]["optimizer"] == SgdSpec().model_dump()
    both = make_form(IMAGE, document(), document(), {"optimizer": "sgd", "optimizer.lr@sgd": "0.1"})
    assert both.document["base"]["optimizer"]["lr"] == 0.1


def test_what_was_typed_for_a_variant_waits_until_it_is_chosen_again() -> None:
    texts = {"optimizer": "sgd", "optimizer.lr@adam": "0.5"}
    assert make_form(IMAGE, document(), document(), texts).document["base"]["optimizer"]["lr"] == 0.01
    assert make_form(IMAGE, document(), document(), texts | {"optimizer": "adam"}).document["base"]["optimizer"]["lr"] == 0.5


def test_several_variants_are_an_axis_of_whole_objects() -> None:
    form = typed(optimizer="adam, sgd")
    runs = parse_sweep(form.document).resolve()
    assert {run.spec.optimizer.name for run in runs} == {"adam", "sgd"}
    assert {run.spec.optimizer.lr for run in runs} == {0.002, 0.01}
    again = make_form(IMAGE, form.document, document(), {})
    assert again.document == form.document


def test_a_model_that_may_be_nothing_is_switched_off_and_on() -> None:
    assert typed(ema="none").document["base"]["ema"] is None
    paper = typed("celeba-paper", ema="constant")
    assert paper.document["base"]["ema"] == {"name": "constant", "decay": 0.98, "further": []}
    assert text(paper, "ema.decay") == "0.98"
    probed = typed(**{"measurement.probes": "on"})
    assert probed.document["base"]["measurement"]["probes"] == ProbesSpec().model_dump()


def test_an_axis_over_a_path_without_a_field_of_its_own_is_kept_and_can_be_edited() -> None:
    start = document() | {"axes": {"network": [{"name": "unet", "base_width": 8}, {"name": "unet"}]}, "overrides": {}}
    form = make_form(IMAGE, start, start, {})
    assert form.document == start
    assert text(form, "network") == "{name: unet, base_width: 8}, {name: unet}"


@pytest.mark.parametrize(
    ("path", "message", "field"),
    [
        ("run(n_train=1).dataset.n_train", "", "dataset.n_train"),
        ("axes.n_train", "", "dataset.n_train"),
        ("overrides.steps.values", "", "steps"),
        ("base.optimizer.adam.lr", "", "optimizer.lr"),
        ("base.network.multipliers.0", "", "network.multipliers"),
        ("base", "measurement.sampler.steps exceeds the 999 trained diffusion indices", "measurement.sampler.steps"),
        ("combine", "", None),
    ],
)
def test_a_fault_is_shown_at_the_field_its_path_belongs_to(path: str, message: str, field: str | None) -> None:
    found = field_of(FieldError(path=path, message=message, remedy=""), typed().fields)
    assert (found.path if found else None) == field


class _Wide(SpecModel):
    """A wide thing."""

    shape: Literal["wide"] = "wide"
    width: int = shown(3, "Width", "how wide", unit="metres", ge=1)


class _Tall(SpecModel):
    """A tall thing."""

    shape: Literal["tall"] = "tall"
    height: float = 2.5


class Throwaway(SpecModel):
    """A kind that only this test knows."""

    kind: Literal["throwaway"] = "throwaway"
    thing: Annotated[_Wide | _Tall, PydanticField(discriminator="shape")] = shown(_Wide(), "Thing", group="Things")
    mode: Literal["slow", "fast"] = shown("slow", "Mode", advanced=True)
    parts: tuple[_Wide, ...] = ()

    ALIASES: ClassVar[dict[str, str]] = {"w": "thing.width"}


@pytest.fixture
def throwaway(monkeypatch: pytest.MonkeyPatch) -> KindView:
    monkeypatch.setitem(KINDS, "throwaway", Throwaway)  # type: ignore[arg-type]
    return next(kind for kind in catalogue.kinds() if kind.name == "throwaway")


def test_a_kind_registered_in_a_test_has_its_form_at_once(throwaway: KindView) -> None:
    start = {"name": "it", "base": throwaway.defaults}
    form = make_form(throwaway, start, start, {"thing.width@wide": "3..12 x2", "parts": "[{width: 2}, {width: 4}]"})
    assert {name: [field.title for field in fields] for name, fields in form.groups.items()} == {
        "Things": ["Thing", "Width"],
        "Further": ["Mode", "Parts"],
    }
    width, mode = (next(field for field in form.fields if field.title == title) for title in ("Width", "Mode"))
    assert (width.unit, width.help) == ("metres", "How wide. At least 1, default 3.")
    assert (mode.shape.options, mode.advanced) == (("slow", "fast", "slow, fast"), True)
    assert form.document["axes"] == {"w": [3, 6, 12]}
    assert form.document["base"]["parts"] == [{"width": 2}, {"width": 4}]
    tall = make_form(throwaway, start, start, {"thing": "tall"})
    assert tall.document["base"]["thing"] == {"shape": "tall", "height": 2.5}


def test_an_adaptive_schedule_is_chosen_by_its_name_and_brings_its_fields() -> None:
    form = make_form(IMAGE, document(), document(), {"measurement.schedule": "adaptive", "measurement.schedule.target@adaptive": "1.5"})
    schedule = form.document["base"]["measurement"]["schedule"]
    assert schedule == {"kind": "adaptive", "first": 5, "count": 8, "checkpoints": 61, "target": 1.5, "budget": 8}
    titles = {field.path: field.title for field in form.fields if field.path.startswith("measurement.schedule.")}
    assert titles["measurement.schedule.target"] == "Refine until"
    further = next(field for field in form.fields if field.path == "measurement.loss_schedule")
    assert "adaptive" not in further.shape.options
