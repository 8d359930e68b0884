"""Qualities on the features of a network stand in the existing charts, with their floor, what a copier scores, and which way is better."""

from typing import Any

import pytest

from frontend.charts.definitions import bearing
from frontend.charts.experiment import experiment_figure
from frontend.charts.figure import ViewOptions
from frontend.charts.quality import quality_range
from frontend.charts.reading import distinct_labels, quality_choices, references_of
from tauscope.analysis.metrics_info import metric_infos
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.specs import ImageDdpmSpec
from tauscope.specs.fields import field_values
from tests.frontend import fake_world as world
from tests.frontend.test_charts import texts
from tests.frontend.test_form import IMAGE, make_form, text, typed

SPEC = ImageDdpmSpec.model_validate(
    {"measurement": {"features": [{"name": "mobilenet_v2", "metrics": ["frechet", "kid", "coverage", "c_t", "vendi"]}]}}
)
FLOORS = {"kid": -0.001, "frechet": 0.8, "coverage": 0.97, "c_t": 0.2}


def seen(experiment: ExperimentView) -> Curves:
    """Curves with MobileNet's features measured too: distances on pixels stand for theirs, less 1 for what may be negative."""
    curves = world.curves_of(experiment)
    infos = {name: info for name, info in metric_infos(SPEC).items() if "mobilenet" in name}
    runs: dict[str, Any] = {}
    for run, found in curves.runs.items():
        runs[run] = dict(found)
        for metric, floor in FLOORS.items():
            name, shift = f"{metric}_mobilenet_v2", 0 if metric == "frechet" else 1
            runs[run][name] = moved(found["frechet_pca"], shift)
            step = found["frechet_pca"].step[-1]
            runs[run][f"{name}_floor"] = world.series([(step, floor, floor - 0.1, floor + 0.1, 384)])
            runs[run][f"{name}_train"] = world.series([(step, floor + 3, floor + 2, floor + 4, 16)])
    return curves.model_copy(update={"metrics": curves.metrics | infos, "runs": runs})


def moved(series: Any, shift: float) -> Any:
    columns = {name: tuple(None if v is None else v - shift for v in getattr(series, name)) for name in ("value", "low", "high")}
    return series.model_copy(update=columns)


def words(metric: str, **options: Any) -> str:
    experiment = world.finished()
    return texts(experiment_figure(experiment, seen(experiment), ViewOptions(quality=f"{metric}_mobilenet_v2", **options)))


def test_the_quality_panel_offers_every_quality_of_the_features_and_draws_its_floor_and_copiers() -> None:
    experiment = world.finished()
    assert {"frechet_mobilenet_v2", "kid_mobilenet_v2", "c_t_mobilenet_v2"} <= set(quality_choices(experiment, seen(experiment)))
    said = words("frechet")
    assert "Fréchet distance on MobileNetV2" in said
    labels = distinct_labels(seen(experiment).metrics[name] for name in quality_choices(experiment, seen(experiment)))
    assert labels["frechet_mobilenet_v2"] == "Fréchet distance on MobileNetV2"
    assert labels["kid_mobilenet_v2"] == "Kernel distance"
    assert len(set(labels.values())) == len(labels)
    assert "real against real: 0.8" in said
    assert "a copier" in said


@pytest.mark.parametrize(("metric", "way"), [("frechet", "lower is better"), ("coverage", "higher is better"), ("c_t", "0 is best")])
def test_a_quality_says_which_way_is_better(metric: str, way: str) -> None:
    assert way in words(metric)


@pytest.mark.parametrize("view", ["stacked", "overlay", "path"])
def test_what_may_be_negative_stands_on_a_linear_axis_that_holds_it(view: Any) -> None:
    experiment = world.finished()
    curves = seen(experiment)
    low, high = quality_range(experiment, curves, "kid_mobilenet_v2")
    assert low < -0.001 < high
    figure = experiment_figure(experiment, curves, ViewOptions(quality="kid_mobilenet_v2", view=view))
    assert figure["layout"]["yaxis"].get("type", "linear") != "log"


def test_a_loss_has_no_floor_of_samples_and_every_distance_has_one() -> None:
    assert references_of("fid_inception") == ("fid_inception_floor", "fid_inception_train")
    assert references_of("loss_held_out@100") == ()


def test_the_launch_form_takes_feature_networks_as_a_list_and_gives_them_back() -> None:
    form = typed(measurement__features="{name: mobilenet_v2, metrics: [frechet, kid], samples: 200}, {name: pixels_pca}")
    assert not form.faults
    chosen = form.document["base"]["measurement"]["features"]
    assert [item["name"] for item in chosen] == ["mobilenet_v2", "pixels_pca"]
    assert text(make_form(IMAGE, form.document, form.document, {}), "measurement.features").startswith("{name: mobilenet_v2")


def compared(metric: str, **changes: Any) -> list[str]:
    """The titles of what differs for a metric where the second run looks with other features."""
    ours, theirs = (
        {
            item.path: item
            for item in field_values(ImageDdpmSpec.model_validate({"measurement": {"features": [features, {"name": "inception"}]}}))
        }
        for features in ({"name": "mobilenet_v2"}, {"name": "mobilenet_v2", **changes})
    )
    ours, theirs = bearing(ours, metric), bearing(theirs, metric)
    return [ours[path].title for path in ours if ours[path].value != theirs[path].value]


def test_a_comparison_tells_features_apart_for_what_is_measured_on_them_alone() -> None:
    assert compared("kid_mobilenet_v2", samples=100) == ["Measurement · Feature networks · mobilenet_v2 · Samples"]
    for elsewhere in ("f_mem", "loss_held_out@100", "frechet_pca", "fid_inception"):
        assert compared(elsewhere, samples=100) == []
    assert compared("kid_mobilenet_v2", metrics=["kid"]) == []
