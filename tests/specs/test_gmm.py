"""What a run on a mixture may be, and what is refused with the field and the remedy."""

from typing import Any

import pytest

from tauscope.analysis.metrics_info import metric_infos
from tauscope.specs import SpecError, load_preset, parse_sweep
from tauscope.specs.gmm import GmmConditionalSpec, GmmSpec

PRESETS = ("gmm-minute", "gmm", "gmm-d128", "gmm-conditional")


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_resolves_and_defines_its_onsets_by_what_it_measures(name: str) -> None:
    for run in load_preset(name).sweep.resolve():
        spec = run.spec
        assert isinstance(spec, GmmSpec)
        known = metric_infos(spec)
        assert spec.onsets.tau_gen.metric in known
        assert spec.onsets.tau_mem.metric in known
        for info in known.values():
            assert info.control is None or info.control in known


def test_at_one_index_no_samples_are_drawn_and_copying_is_told_by_alpha() -> None:
    spec = load_preset("gmm-minute").sweep.base
    assert spec.memorization_metrics == ("alpha@150",)
    assert spec.sample_steps == frozenset()
    assert "f_mem" not in metric_infos(spec)


def test_guidance_has_a_short_name_and_needs_a_network_that_is_told_labels() -> None:
    runs = load_preset("gmm-conditional").sweep.resolve()
    assert [run.params["guidance"] for run in runs] == [0.0, 1.0, 2.0, 3.0, 5.0]
    assert all(isinstance(run.spec, GmmConditionalSpec) for run in runs)
    with pytest.raises(SpecError, match="guidance"):
        parse_sweep({"name": "x", "base": {"kind": "gmm", "measurement": {"sampler": {"name": "ddim", "guidance": 1.0}}}})


@pytest.mark.parametrize(
    ("base", "field", "remedy"),
    [
        ({"dataset": {"components": 3}}, "components 3: a pair has two", "name to random"),
        ({"dataset": {"name": "given"}}, "dataset.means and name given disagree", "List means"),
        ({"dataset": {"name": "given", "dim": 2, "means": [1.0, 2.0, 3.0]}}, "dataset.means has 3 numbers where there are 4", "coordinate"),
        ({"dataset": {"weights": [1.0]}}, "dataset.weights has 1 numbers where there are 2", "component"),
        ({"dataset": {"sigmas": [1.0, 0.0]}}, "dataset.sigmas.1", ""),
        ({"dataset": {"sigmas": [1.0, 2.0]}}, "dataset.sigmas has 2 numbers where there are 8 or 16", "of all components or of each"),
        ({"dataset": {"n_train": 2000}}, "dataset.n_held_out 1024 is less than n_train 2000", "as many"),
        ({"measurement": {"score_indices": [5000]}}, "measurement.score_indices [5000] are never trained", "Choose from"),
        ({"measurement": {"score_indices": [5, 5]}}, "measurement.score_indices names one twice", "once"),
        ({"onsets": {"tau_mem": {"metric": "alpha@7", "level": 0.1}}}, "onsets.tau_mem needs metric", "alpha@150"),
        (
            {
                "only_index": 150,
                "measurement": {"loss_indices": [150], "score_indices": [150]},
                "onsets": {"tau_gen": {"metric": "score_error@150", "level": 0.1}, "tau_mem": {"metric": "f_mem", "level": 0.1}},
            },
            "onsets.tau_mem needs metric alpha@150",
            "",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_field_with_the_remedy(base: dict[str, Any], field: str, remedy: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_sweep({"name": "x", "base": {"kind": "gmm", **base}})
    words = str(caught.value)
    assert field in words
    assert remedy in words


def test_given_centres_are_taken_with_weights_and_a_width_by_dimension() -> None:
    dataset = {"name": "given", "dim": 2, "components": 2, "means": [0, 0, 3, 4], "weights": [1, 3], "sigmas": [0.5, 2]}
    spec = parse_sweep({"name": "x", "base": {"kind": "gmm", "dataset": dataset}}).base
    assert isinstance(spec, GmmSpec)
    assert spec.dataset.means == (0, 0, 3, 4)
    assert spec.with_n(77).n_train == 77
