"""The presets of the paper (arXiv:2505.17638): its published numbers, and variants that differ in what their names say alone."""

from typing import Any

import pytest

from tauscope.specs import load_preset
from tauscope.specs.parameters import trained_parameters


def _base(name: str) -> dict[str, Any]:
    document = load_preset(name).sweep.base.model_dump(mode="json")
    return {key: value for key, value in document.items() if key != "kind"}


def test_the_main_experiment_has_the_published_numbers() -> None:
    runs = load_preset("celeba-paper").sweep.resolve()
    assert [run.spec.dataset.n_train for run in runs] == [2**k for k in range(7, 16)]
    assert [run.spec.batch for run in runs] == [min(512, run.spec.dataset.n_train) for run in runs]
    spec = runs[0].spec
    assert (spec.optimizer.name, spec.optimizer.lr, spec.steps, spec.ema, spec.preconditioning) == ("sgd", 1e-2, 2_000_000, None, False)
    assert spec.measurement.sampler.name == "ddim" and spec.measurement.sampler.evaluations(1000) == 100
    assert spec.measurement.n_generated == 10_000
    assert trained_parameters(spec.network) == 4_023_233


@pytest.mark.parametrize(
    ("name", "differs"),
    [("celeba-paper-width", set()), ("celeba-paper-fullbatch", {"batch_size"}), ("celeba-paper-adam", {"optimizer"})],
)
def test_a_variant_differs_in_what_its_name_says(name: str, differs: set[str]) -> None:
    ours, main = _base(name), _base("celeba-paper")
    assert {key for key in main if ours[key] != main[key]} == differs


def test_the_variants_vary_what_the_paper_varies() -> None:
    assert load_preset("celeba-paper-width").sweep.axes["width"] == (8, 16, 32, 48, 64)
    assert all(run.spec.batch == run.spec.dataset.n_train for run in load_preset("celeba-paper-fullbatch").sweep.resolve())
    assert {run.spec.optimizer.lr for run in load_preset("celeba-paper-adam").sweep.resolve()} == {1e-4}


@pytest.mark.parametrize("name", ["celeba-paper", "celeba-paper-width", "celeba-paper-fullbatch", "celeba-paper-adam"])
def test_a_level_that_nobody_has_measured_is_told_on_the_card(name: str) -> None:
    assert "Its level of tau_gen is to be set by the first run." in load_preset(name).sweep.summary
