"""Runs beside the combinations of a sweep: written out by hand, or added cell by cell."""

from typing import Any

import pytest

from tauscope.specs import SpecError, apply_settings, load_preset, parse_sweep
from tauscope.specs.further import CellRun, with_cells

BASE: dict[str, Any] = {"kind": "image_ddpm"}


def sweep(**changes: Any) -> Any:
    document = {
        "name": "small",
        "base": BASE,
        "axes": {"n_train": [16, 32]},
        "overrides": {"steps": {"by": "n_train", "values": {16: 5, 32: 9}}},
    }
    return parse_sweep(document | changes)


def test_a_further_run_sets_every_axis_and_what_it_likes_beside_them() -> None:
    runs = sweep(further=[{"n_train": 48, "steps": 70, "network.base_width": 8}]).resolve()
    assert [(run.index, run.params, run.spec.steps, run.spec.network.base_width) for run in runs] == [
        (0, {"n_train": 16}, 5, 32),
        (1, {"n_train": 32}, 9, 32),
        (2, {"n_train": 48, "network.base_width": 8}, 70, 8),
    ]


@pytest.mark.parametrize(
    ("further", "path", "says"),
    [
        ({"steps": 3}, "spec", "n_train"),
        ({"n_train": 48}, "overrides.steps.values", "48"),
        ({"n_train": 48, "steps": 3, "lrr": 1}, "further.0.lrr", "Known here"),
        ({"n_train": 1, "steps": 3}, "run(n_train=1).dataset.n_train", "greater than or equal to 2"),
    ],
)
def test_a_bad_further_run_names_the_field(further: dict[str, Any], path: str, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        sweep(further=[further])
    assert caught.value.problems[0].path == path and says in str(caught.value)


def test_further_runs_count_towards_the_most_that_a_sweep_has() -> None:
    with pytest.raises(SpecError, match="more than 1000"):
        sweep(axes={"n_train": [16], "seed": list(range(1000))}, further=[{"n_train": 16, "seed": 1000, "steps": 5}])


def test_cells_are_added_to_a_sweep_that_has_no_axis_for_them() -> None:
    larger = with_cells(load_preset("digits-ci").sweep, [CellRun(48, 8, 7, 900)])
    runs = larger.resolve()
    assert [run.params for run in runs[:3]] == [{"n_train": n, "width": 16, "seed": 4} for n in (8, 16, 32)]
    assert (runs[3].params, runs[3].spec.steps, runs[3].spec.network.base_width) == ({"n_train": 48, "width": 8, "seed": 7}, 900, 8)
    assert [run.spec.steps for run in runs] == [150, 400, 800, 900]
    again = with_cells(larger, [CellRun(24, 16, 4, 100)])
    assert [run.params["n_train"] for run in again.resolve()] == [8, 16, 32, 48, 24]


def test_a_grown_sweep_keeps_its_further_runs() -> None:
    larger = with_cells(load_preset("digits-ci").sweep, [CellRun(48, 8, 7, 900)])
    assert len(apply_settings(larger, {"seed": [4, 5]}).resolve()) == 7


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"axes": {"n_train": [16, 32], "lr": [1e-3, 1e-4]}}, "axes.lr"),
        ({"axes": {"n_train": [16, 32]}, "combine": "zip"}, "combine"),
        (
            {"overrides": {"steps": {"by": "n_train", "values": {16: 5, 32: 9}}, "width": {"by": "n_train", "values": {16: 8, 32: 16}}}},
            "overrides.width",
        ),
    ],
)
def test_a_sweep_that_is_no_diagram_is_refused_at_the_field(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(SpecError) as caught:
        with_cells(sweep(**changes), [CellRun(48, 8, 0, 10)])
    assert caught.value.problems[0].path == path
