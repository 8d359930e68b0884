"""Fields that make sense only with others are refused by name, and specs from before they were there stay readable."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from tauscope.analysis.metrics_info import metric_infos
from tauscope.analysis.summary import summarize_points
from tauscope.specs import ImageDdpmSpec, SpecError, apply_settings, load_preset
from tauscope.specs.alpha_bar import MAX_BETA, alpha_bars
from tauscope.specs.process import CosineSpec, LinearSpec, LogSnrSpec

ONLY_100: dict[str, Any] = {"only_index": 100, "measurement": {"loss_indices": [100]}}


@pytest.mark.parametrize(
    ("document", "field", "remedy"),
    [
        ({"parameterization": "v"}, "parameterization v", "Set preconditioning: false"),
        ({"optimizer": {"name": "adam", "warmup_steps": 9, "cosine_steps": 9}}, "cosine_steps 9", "give cosine_steps more"),
        ({"optimizer": {"name": "sgd", "cosine_steps": 999}}, "optimizer.cosine_steps 999", "at least as many as steps"),
        ({"only_index": 100}, "measurement.loss_indices [10]", "Only 100 is"),
        ({"only_index": 1000}, "only_index 1000", "Choose a lower one"),
        (ONLY_100 | {"stopping": {"name": "copying"}}, "stopping.name", "Set stopping to budget"),
        (ONLY_100 | {"onsets": {"tau_gen": {"metric": "frechet_pca", "level": 1}}}, "onsets.tau_gen.metric", "loss_held_out@100"),
        ({"compute": {"devices": 65}}, "compute.devices", "less than or equal to 64"),
        ({"compute": {"devices": 9}, "batch_size": 8}, "compute.devices 9", "Use fewer devices"),
        ({"compute": {"devices": 2}, "device": "cuda:1"}, "device cuda:1", "Set device to cuda or cpu"),
        ({"ema": {"decay": 0.9, "further": [0.5, 0.9]}}, "further repeats", "List each other length once"),
        ({"ema": {"name": "power", "further": [0.3]}}, "further has [0.3]", "Stay below 0.2887"),
        ({"process": {"name": "log_snr", "log_snr_max": -11}}, "log_snr_max", "Exchange the two"),
        ({"process": {"name": "cosine", "beta_max": 0.5}}, "process.beta_max", "unknown fields are refused"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_field_and_the_remedy(document: dict[str, Any], field: str, remedy: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ImageDdpmSpec.model_validate(document)
    (problem,) = SpecError.from_validation(caught.value).problems
    assert field in str(problem)
    assert remedy in str(problem)


def test_a_spec_from_before_the_options_is_the_spec_with_their_defaults() -> None:
    """As it was stored: a process with a name that was no choice yet, an average without one, no field of what came later."""
    stored = ImageDdpmSpec().model_dump(mode="json")
    for later in ("parameterization", "only_index", "compute"):
        del stored[later]
    for later in ("warmup_steps", "cosine_steps", "clip_norm"):
        del stored["optimizer"][later]
    del stored["ema"]["name"], stored["ema"]["further"]
    assert ImageDdpmSpec.model_validate(stored) == ImageDdpmSpec()
    assert ImageDdpmSpec.model_validate({"process": {"beta_max": 0.01}}).process == LinearSpec(beta_max=0.01)


def test_options_of_a_chosen_variant_can_be_set_by_their_path() -> None:
    sweep = apply_settings(
        load_preset("digits-demo").sweep, {"process": {"name": "cosine"}, "process.offset": 0.01, "precision": "bfloat16"}
    )
    assert sweep.base.process == CosineSpec(offset=0.01)
    assert sweep.base.compute.precision == "bfloat16"


@pytest.mark.parametrize(
    "process", [LinearSpec(), CosineSpec(), LogSnrSpec(), LinearSpec(steps=40), CosineSpec(steps=40), LogSnrSpec(steps=2)]
)
def test_every_process_loses_signal_at_every_index(process: LinearSpec | CosineSpec | LogSnrSpec) -> None:
    levels = alpha_bars(process)
    assert len(levels) == process.steps
    assert (np.diff(levels) < 0).all()
    assert 0 < levels[-1] < levels[0] < 1


def test_the_cosine_process_is_that_of_its_paper_but_where_beta_is_bounded() -> None:
    """Nichol and Dhariwal, eq. 17; only the last index, where f vanishes, meets the bound."""
    t = np.arange(1, 1001) / 1000
    f = np.cos((t + 0.008) / 1.008 * np.pi / 2) ** 2 / np.cos(0.008 / 1.008 * np.pi / 2) ** 2
    levels = alpha_bars(CosineSpec())
    np.testing.assert_allclose(levels[:-1], f[:-1], rtol=1e-9)
    assert levels[-1] == pytest.approx(levels[-2] * (1 - MAX_BETA))


def test_the_log_snr_process_takes_equal_steps_in_it_between_the_ends_of_the_linear_one() -> None:
    def log_snr(levels: np.ndarray) -> np.ndarray:
        return np.log(levels / (1 - levels))

    found, linear = log_snr(alpha_bars(LogSnrSpec())), log_snr(alpha_bars(LinearSpec()))
    np.testing.assert_allclose(np.diff(found), np.diff(found).mean(), rtol=1e-6)
    np.testing.assert_allclose(found[[0, -1]], linear[[0, -1]], atol=0.05)  # The defaults are its ends to a tenth.


def test_further_lengths_have_names_labels_and_a_price_of_their_own() -> None:
    plain = load_preset("digits-demo").sweep.base
    spec = plain.model_validate({**plain.model_dump(), "ema": {"name": "power", "further": [0.1]}})
    infos = metric_infos(spec)
    added = set(infos) - set(metric_infos(plain))
    assert added == {"f_mem~ema0.1", *(f"loss_held_out@{index}~ema0.1" for index in spec.measurement.loss_indices)}
    assert infos["f_mem~ema0.1"].label == "memorized samples f_mem, average of relative std 0.1"
    assert infos["f_mem~ema0.1"].control == "f_mem_control"
    training = 3.0 * spec.steps * spec.batch
    assert spec.cost() - training == 2 * (plain.cost() - training)


def test_a_run_at_one_index_says_why_it_has_no_tau_mem() -> None:
    spec = ImageDdpmSpec.model_validate(ONLY_100)
    assert not [name for name in metric_infos(spec) if name.startswith(("f_mem", "frechet"))]
    onsets, _ = summarize_points(spec, [])
    assert onsets["tau_mem"].reason == "no samples: trained at diffusion index 100 alone"
    assert spec.cost() == 3.0 * spec.steps * spec.batch
