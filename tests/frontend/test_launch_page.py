"""The launch page with a client that answers from memory: what its form sends, and what it says of what cannot be sent."""

from typing import ClassVar, Literal

import pytest

from tauscope.contracts.experiments import ExperimentCreate, ExperimentView, Plan, PlannedRun
from tauscope.specs import KINDS, SweepSpec, load_preset
from tauscope.specs.model import SpecModel
from tauscope.specs.shown import shown as shown_field
from tests.frontend.paged import FakeClient, api, field, html, opened, press, problem, show_as, shown

__all__ = ["api"]  # The fixture.


def test_launching_sends_the_sweep_as_the_form_has_it(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci")
    field(app, "Seeds").set_value("7").run()
    field(app, "Learning rate").set_value("1e-3, 2e-3").run()
    assert "changed, was 0.002" in html(app)
    press(app, "Launch 6 runs")
    (request,) = api.launched
    assert request.sweep is not None
    assert request.sweep["base"]["seed"] == 7
    assert request.sweep["axes"] == {"n_train": [8, 16, 32], "lr": [0.001, 0.002]}


def test_summary_priority_and_queue_are_sent_with_the_sweep(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci")
    field(app, "Summary").set_value("Does it copy?").run()
    next(item for item in app.number_input if item.label == "Priority").set_value(5).run()
    field(app, "Queue").set_value("gpu").run()
    assert "No worker serves this queue now" in html(app)
    press(app, "Launch 3 runs")
    (request,) = api.launched
    assert request.sweep is not None
    assert (request.sweep["summary"], request.priority, request.queue) == ("Does it copy?", 5, "gpu")


def test_a_name_that_no_queue_can_have_is_refused_at_its_field(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci", view="yaml")
    field(app, "Queue").set_value("My queue").run()
    assert "Use at most 40 small letters" in html(app)
    assert not [item for item in app.button if item.label.startswith("Launch")]
    press(app, "Undo all changes")
    assert [item for item in app.button if item.label == "Launch 3 runs"]


def test_a_field_that_cannot_be_read_says_so_there_and_nothing_can_be_launched(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci")
    field(app, "Training images n").set_value("8, 16").run()
    assert "3 values for 2 values of n" in html(app)
    assert "one for each of 8, 16" in html(app)
    assert not [item for item in app.button if item.label.startswith("Launch")]
    field(app, "Training steps").set_value("150, 400 by n").run()
    assert [item for item in app.button if item.label == "Launch 2 runs"]


def test_what_the_api_refuses_stands_at_its_field_with_the_remedy(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci")
    field(app, "Base width W").set_value("17").run()
    assert "Use 8, 16, 24 or 32" in html(app)
    assert field(app, "Base width W").value == "17"


def test_a_bad_yaml_field_is_named_with_its_line_and_the_remedy(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci", view="yaml")
    app.text_area[0].set_value(app.text_area[0].value.replace("base_width: 16", "base_width: 17")).run()
    assert "line 7, base.network.base_width" in html(app)
    assert "Use 8, 16, 24" in html(app)


def test_the_yaml_of_an_untouched_preset_keeps_its_comments(api: FakeClient) -> None:
    assert opened("launch", preset="digits-ci", view="yaml").text_area[0].value == load_preset("digits-ci").text


def test_form_and_yaml_go_over_into_each_other_without_loss(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci")
    field(app, "Name").set_value("mine").run()
    field(app, "Training images n").set_value("8..64 x2").run()
    field(app, "Training steps").set_value("150, 400, 800, 1600 by n").run()
    show_as(app, "yaml")
    text = app.text_area[0].value
    assert "name: mine" in text
    app.text_area[0].set_value(text.replace("seed: 4", "seed: 5")).run()
    show_as(app, "form")
    assert field(app, "Training images n").value == "8, 16, 32, 64"
    assert field(app, "Training steps").value == "150, 400, 800, 1600 by n"
    assert field(app, "Seeds").value == "5"
    show_as(app, "yaml")
    assert app.text_area[0].value == text.replace("seed: 4", "seed: 5")


def test_yaml_that_cannot_be_read_stays_as_it_is_when_the_form_is_asked_for(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci", view="yaml")
    broken = "name: x\nbase: [1, 2\nseed: 3\n"
    app.text_area[0].set_value(broken).run()
    assert "line 3" in html(app)
    show_as(app, "form")
    assert app.text_area[0].value == broken
    assert app.query_params["view"] == "yaml"


def test_a_field_that_cannot_be_read_keeps_the_form_when_the_yaml_is_asked_for(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci")
    field(app, "Seeds").set_value("1, , 2").run()
    show_as(app, "yaml")
    assert field(app, "Seeds").value == "1, , 2"
    assert not app.text_area


def test_each_card_keeps_what_was_typed_for_it(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci")
    field(app, "Seeds").set_value("7, 8").run()
    app.query_params["preset"] = "digits-demo"
    app.run()
    assert field(app, "Seeds").value == "4"
    app.query_params["preset"] = "digits-ci"
    app.run()
    assert field(app, "Seeds").value == "7, 8"
    press(app, "Undo all changes")
    assert field(app, "Seeds").value == "4"


def test_a_variant_shows_its_own_fields_and_brings_back_what_was_typed_before(api: FakeClient) -> None:
    app = opened("launch", preset="digits-ci")
    field(app, "Learning rate").set_value("0.5").run()
    field(app, "Optimizer").set_value("sgd").run()
    assert field(app, "Momentum").value == "0.95"
    assert field(app, "Learning rate").value == "0.01"
    field(app, "Optimizer").set_value("adam").run()
    assert field(app, "Learning rate").value == "0.5"


def test_an_earlier_experiment_is_copied_and_one_of_its_runs_taken_alone(api: FakeClient) -> None:
    assert field(opened("launch", **{"from": "demo"}), "Training images n").value == "16, 32, 64"
    fork = opened("launch", fork="demor1")
    assert field(fork, "Training images n").value == "32"
    assert field(fork, "Name").value.endswith("n_train=32")
    assert [item for item in fork.button if item.label == "Launch 1 run"]


def test_an_unknown_experiment_to_copy_is_a_message_with_a_remedy(api: FakeClient) -> None:
    assert "No such experiment" in shown(opened("launch", **{"from": "nothing"}))


class Throwaway(SpecModel):
    """A kind that only this test knows."""

    kind: Literal["throwaway"] = "throwaway"
    width: int = shown_field(3, "Width", "how wide", unit="metres", ge=1)
    mode: Literal["slow", "fast"] = shown_field("slow", "Mode")
    ALIASES: ClassVar[dict[str, str]] = {}


class ThrowawaySweep(SweepSpec):
    """A sweep over it."""

    base: Throwaway  # type: ignore[assignment]


def test_a_kind_without_a_preset_has_a_form_of_its_own_and_is_launched(api: FakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def plan(request: ExperimentCreate) -> Plan:
        sweep = ThrowawaySweep.model_validate(request.sweep)
        runs = [PlannedRun(index=r.index, label=r.label, params=r.params, spec=r.spec.model_dump(), cost=1.0) for r in sweep.resolve()]
        return Plan(sweep=sweep.model_dump(mode="json"), runs=tuple(runs))

    monkeypatch.setitem(KINDS, "throwaway", Throwaway)  # type: ignore[arg-type]
    monkeypatch.setattr(api, "plan", plan)
    app = opened("launch", kind="throwaway")
    assert field(app, "Width").label == "Width, metres"
    field(app, "Width").set_value("2, 4").run()
    field(app, "Mode").set_value("slow, fast").run()
    press(app, "Launch 4 runs")
    (request,) = api.launched
    assert request.sweep is not None
    assert request.sweep["axes"] == {"width": [2, 4], "mode": ["slow", "fast"]}


def test_a_launch_that_was_refused_is_repeated_with_its_key_and_another_sweep_gets_a_new_one(
    api: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: list[str | None] = []

    def refuse(request: ExperimentCreate, *, idempotency_key: str | None = None) -> ExperimentView:
        keys.append(idempotency_key)
        raise problem(503, "Not now")

    monkeypatch.setattr(api, "launch", refuse)
    app = opened("launch", preset="digits-ci")
    press(app, "Launch 3 runs")
    press(app, "Launch 3 runs")
    field(app, "Seeds").set_value("7").run()
    press(app, "Launch 3 runs")
    assert keys[0] == keys[1] != keys[2]
