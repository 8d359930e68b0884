"""The probes page: a warning with its interval, what it was calibrated on, and that it never stands in for f_mem."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from frontend.charts.figure import FigureError, ViewOptions
from frontend.charts.probes import nothing_known
from frontend.charts.reading import drawn_points
from frontend.markup.alternative import plain
from frontend.markup.probes import probe_choices
from frontend.probes_view import probes_view, serve_probes
from frontend.views import experiment_view
from tauscope.analysis.metrics_info import metric_infos
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.system import SystemView
from tauscope.contracts.warnings import ExperimentWarnings
from tauscope.specs import load_preset
from tests.asgi import TestClient
from tests.frontend import fake_probes
from tests.frontend import fake_world as world


def said(experiment: ExperimentView, *, calibrated: bool = True) -> ExperimentWarnings:
    return fake_probes.warnings(experiment, world.curves_of(experiment), calibrated=calibrated)


def shown(experiment: ExperimentView, *, calibrated: bool = True, **options: Any) -> dict[str, Any]:
    found = said(experiment, calibrated=calibrated)
    return probes_view(experiment, world.curves_of(experiment), found, ViewOptions(**options), None)


def marks(view: dict[str, Any], onset: str, status: str) -> list[dict[str, Any]]:
    traces = view["figures"]["probes"]["data"]
    return [trace for trace in traces if trace.get("meta", {}).get("onset") == onset and trace["meta"]["status"] == status]


def test_the_finding_gives_lead_and_false_alarms_with_interval_and_count() -> None:
    words = plain(shown(world.finished())["finding"])
    assert words.startswith("Relative loss gap 100 on digits: copying came a median ")
    assert " times (" in words and " as late as the warning, in 9 runs; " in words
    assert "of 9 runs with a false alarm" in words


def test_every_warning_is_marked_on_its_level_with_its_interval_above_f_mem() -> None:
    found = said(world.finished())
    drawn = marks(shown(world.finished()), "warning", "reached")
    assert [mark["x"][0] for mark in drawn] == [pytest.approx(item.onset.value) for item in found.warnings if item.onset]
    assert [mark["y"][0] for mark in drawn] == [item.level for item in found.warnings]
    assert all(mark["error_x"]["array"][0] > 0 for mark in drawn)
    assert len(marks(shown(world.finished()), "tau_mem", "reached")) == 3


def test_f_mem_stands_below_every_probe_and_never_without_its_control() -> None:
    experiment = world.finished()
    curves = world.curves_of(experiment)
    stripped = {run: {name: series for name, series in found.items() if name != "f_mem_control"} for run, found in curves.runs.items()}
    with pytest.raises(FigureError, match="control"):
        probes_view(experiment, curves.model_copy(update={"runs": stripped}), said(experiment), ViewOptions(), None)
    assert "never replaces" in shown(experiment)["keys"]


def test_too_few_past_runs_give_no_level_no_mark_and_the_reason() -> None:
    view = shown(world.finished(), calibrated=False)
    assert "not calibrated: 2 of the 6 finished runs it takes" in view["finding"]
    assert not marks(view, "warning", "reached")
    assert "no level" in view["table"]
    assert "warning level of" not in str(view["figures"]["probes"]["layout"]["annotations"])


def test_a_warning_that_did_not_come_is_an_arrow_and_no_point() -> None:
    experiment = world.live(step=30)
    view = shown(experiment)
    found = said(experiment)
    waiting = [item for item in found.warnings if item.onset and item.onset.status is OnsetStatus.CENSORED]
    assert waiting
    assert len(marks(view, "warning", "arrow")) == len(waiting)


def test_the_watch_page_warns_of_runs_that_do_not_copy_yet_and_of_no_other() -> None:
    live, over = world.live(step=700), world.finished()
    view = experiment_view(live, world.curves_of(live), ViewOptions(), None, said(live))
    assert "Copying may be near" in view["side"]
    assert "never replaces" in view["side"]
    (line,) = [part for part in view["side"].split("<p>") if "passed" in part]
    assert "n = 64" in line  # 16 and 32 copy already
    assert "with a false alarm" in line
    assert "Copying may be near" not in experiment_view(over, world.curves_of(over), ViewOptions(), None, said(over))["side"]


def test_every_probe_of_a_spec_can_be_chosen_the_loss_gap_first_and_has_a_reference() -> None:
    infos = metric_infos(load_preset("digits-warnings").sweep.base)
    choices = probe_choices(infos)
    assert next(iter(choices)) == "loss_gap@100"
    assert {name.partition("@")[0] for name in choices} == {
        *("loss_gap", "alpha_ho", "stable_rank"),
        *(f"mia_{attack}_{what}" for attack in ("loss", "pia", "sima") for what in ("auc", "tpr")),
    }
    assert [name for name in choices if nothing_known(name) is None] == ["stable_rank"]


def test_only_the_curves_of_the_probe_that_is_shown_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    experiment, asked_for = world.finished(), []
    found = said(experiment)
    found = found.model_copy(update={"metrics": found.metrics | {"loss_gap@50": found.metrics["loss_gap@100"]}})

    system = SystemView(version="0", database="sqlite", queued=0, running=0, workers=(), server_time=world.T0)

    class Client:
        def __getattr__(self, name: str) -> Any:
            answers = {"experiment": experiment, "warnings": found, "system": system}
            return lambda *_: answers[name]

        def curves(self, identifier: str, metrics: tuple[str, ...], *, max_points: int) -> Any:
            asked_for.append((metrics, max_points))
            return world.curves_of(experiment)

    monkeypatch.setattr("frontend.probes_view.client_for", lambda token: Client())
    for wanted in ("", "loss_gap@50"):
        probes = TestClient(Starlette(routes=[Route("/view/probes/{id}", serve_probes)]))
        assert probes.get(f"/view/probes/{experiment.id}", params={"probe": wanted}).status_code == 200
    points = drawn_points(len(experiment.runs))
    assert asked_for == [(("loss_gap@100", "f_mem", "f_mem_control"), points), (("loss_gap@50", "f_mem", "f_mem_control"), points)]
