"""Runs are named by what sets them apart: a short name and a value, or the words of the form; never a path or a spec."""

import json

import pytest

from frontend.charts.experiment import experiment_figure
from frontend.charts.figure import ViewOptions
from frontend.charts.groups import group_runs, heading
from frontend.charts.onset_spans import onset_words
from frontend.markup.alternative import plain
from frontend.markup.settings import settings_line
from frontend.markup.side import onset_table
from frontend.theme import LIGHT
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.specs import load_preset
from tests.frontend import fake_world as world


def view_of(preset: str) -> ExperimentView:
    """A preset's runs, all finished."""
    sweep = load_preset(preset).sweep
    usual = world.finished(preset)
    one = usual.runs[0]
    runs = [
        one.model_copy(update={"id": f"{preset}-{run.index}", "index": run.index, "params": run.params, "n_train": run.spec.n_train})
        for run in sweep.resolve()
    ]
    return usual.model_copy(update={"name": preset, "sweep": json.loads(sweep.model_dump_json()), "runs": tuple(runs)})


def test_a_float_is_told_as_short_as_it_is_and_heads_the_table() -> None:
    view = view_of("gmm-conditional")
    groups = group_runs(view, LIGHT)
    assert [group.name for group in groups] == [f"guidance = {w}" for w in (0, 1, 2, 3, 5)]
    assert heading(groups) == "guidance"
    table = plain(onset_table(view, world.curves_of(world.finished("demo")), groups, None))
    assert "guidance = " not in table and table.startswith("guidance")


def test_an_intervention_is_named_in_the_words_of_the_form_and_not_by_where_it_is_looked_at() -> None:
    names = [group.name for group in group_runs(view_of("gmm-interventions"), LIGHT)]
    assert names == ["n = 32", "forward process log-SNR", "Fourier features: scale s 1, frequencies 32", "weight decay 0.5", "dropout 0.1"]


def test_a_name_that_is_longer_than_usual_is_given_room_beside_the_runs() -> None:
    view = world.finished("demo")
    curves = world.curves_of(view)
    usual = experiment_figure(view, curves, ViewOptions())["layout"]["margin"]["l"]
    runs = tuple(run.model_copy(update={"params": {"guidance": 0.25, "n_train": 16}}) for run in view.runs)
    renamed = view.model_copy(update={"runs": runs})
    assert experiment_figure(renamed, curves, ViewOptions())["layout"]["margin"]["l"] > usual == 84


@pytest.mark.parametrize(
    ("preset", "words"),
    [
        ("gmm-conditional", "2 Gaussians in 8 dimensions · MLP W=128"),
        ("score-1d", "a mixture on a line"),
        ("weather", "weather_jfk · 1-D U-Net W=32"),
    ],
)
def test_the_line_of_settings_says_what_is_learnt_and_by_what(preset: str, words: str) -> None:
    assert words in plain(settings_line(view_of(preset)))


def test_what_is_known_of_an_onset_beyond_the_edge_does_not_stand_on_the_name_of_one_that_was_reached() -> None:
    reached = Onset(metric="f_mem", level=0.25, status=OnsetStatus.REACHED, value=400.0, low=300.0, high=450.0)
    later = world.not_by(450, "frechet_pca", 3.0)
    run = world.finished("demo").runs[0].model_copy(update={"onsets": {"tau_gen": later, "tau_mem": reached}})
    edge, name = onset_words(run, ViewOptions())
    assert edge["yshift"] < name["yshift"] == 0
