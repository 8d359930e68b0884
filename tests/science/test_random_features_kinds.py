"""The kinds ``random_features`` and ``rf_spectrum`` as runs: what they tell, how often, and with which intervals."""

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

from tauscope.analysis.metrics_info import metric_infos
from tauscope.analysis.summary import summarize_points
from tauscope.cli.tables import summary_table
from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.points import Point
from tauscope.contracts.summary import ExperimentSummary, RunSummary
from tauscope.experiments import EXPERIMENTS
from tauscope.needs import missing
from tauscope.specs import ExperimentSpec, SpecError, load_preset, parse_sweep
from tauscope.specs.random_features import RandomFeaturesSpec, RfSpectrumSpec
from tauscope.specs.stored import n_train_of
from tauscope.theory.errors import TheoryError
from tauscope.theory.rf_covariance import draw_equivalent, equivalent_covariances
from tauscope.theory.rf_dynamics import Solved
from tauscope.theory.rf_model import RandomFeatures
from tauscope.training.checkpoints import CheckpointError

SMALL = {"psi_p": 6, "psi_n": 2, "d": 8, "t": 0.1, "draws": 3, "measurement": {"schedule": {"kind": "log_spaced", "first": 1, "count": 9}}}


class Kept:
    """A recorder that keeps what it is told, and ends a segment after so many steps."""

    def __init__(self, ends_at: int | None = None) -> None:
        self.points: list[Point] = []
        self.state = Path()
        self._asked, self._ends_at = 0, ends_at

    def progress(self, step: int, loss: float) -> None:
        assert np.isfinite(loss)

    def measured(self, step: int, points: Sequence[Point]) -> None:
        assert {point.step for point in points} == {step}
        self.points += points

    def checkpoint(self, step: int, weights: Path, state: Path, *, unevaluated: bool) -> None:
        assert weights.is_file() and not unevaluated
        self.state = state

    def should_end(self) -> bool:
        self._asked += 1
        return self._asked == self._ends_at


def spec_of(**changed: Any) -> ExperimentSpec:
    return parse_sweep({"name": "small", "base": {"kind": "random_features", "steps": 1000, **SMALL, **changed}}).base


def run(spec: ExperimentSpec, tmp_path: Path, recorder: Kept | None = None) -> dict[str, dict[int, Point]]:
    kept = recorder or Kept()
    EXPERIMENTS[spec.kind](spec, device=torch.device("cpu"), folder=tmp_path).run(kept)  # type: ignore[arg-type]
    found: dict[str, dict[int, Point]] = {}
    for point in kept.points:
        found.setdefault(point.metric, {})[point.step] = point
    return found


def flat(found: dict[str, dict[int, Point]]) -> Iterator[Point]:
    return (point for series in found.values() for point in series.values())


LOOP = {"u": "exact", "dynamics": {"name": "loop", "noise_draws": None}, "steps": 30, "eta": 64 * 0.5}


def test_every_number_has_its_interval_over_the_draws_and_their_count(tmp_path: Path) -> None:
    spec = spec_of()
    found = run(spec, tmp_path)
    foretold = {name for name in found if name.startswith("bulk_")}
    assert set(found) - foretold == {name for name in metric_infos(spec) if not name.startswith("bulk_")}
    for series in (found[name] for name in set(found) - foretold):
        assert set(series) == set(spec.loss_steps)
        assert all(p.value is not None and p.low is not None and p.low <= p.value <= p.high and p.count == 3 for p in series.values())


def test_an_exact_loop_lies_on_the_closed_form_of_its_own_draws(tmp_path: Path) -> None:
    found = run(spec_of(**LOOP), tmp_path)
    for name in ("loss_train", "loss_held_out", "score_error", "gap_share"):
        for step, point in found[name].items():
            assert point.value == pytest.approx(found[f"{name}_theory"][step].value, rel=1e-10)


def test_a_loop_with_drawn_noise_comes_near_the_closed_form(tmp_path: Path) -> None:
    loop = {**LOOP, "dynamics": {"name": "loop", "noise_draws": 20}}
    found = run(spec_of(**loop), tmp_path)
    value, wanted = found["loss_held_out"][30].value, found["loss_held_out_theory"][30].value
    assert value is not None and wanted is not None and value != wanted
    # 16 points and 20 noise draws a step: noise of the gradient changes this loss by under a percent in 30 steps.
    assert value == pytest.approx(wanted, rel=0.02)


def test_adam_has_no_closed_form_beside_it(tmp_path: Path) -> None:
    found = run(spec_of(u="exact", dynamics={"name": "loop", "optimizer": "adam"}, steps=20, eta=0.05), tmp_path)
    assert not [name for name in found if name.endswith("_theory") or name.startswith("mode_")]
    assert found["loss_train"][20].value < found["loss_train"][1].value  # type: ignore[operator]


def test_parts_of_all_eigenvalues_add_up_to_the_losses(tmp_path: Path) -> None:
    found = run(spec_of(dynamics={"name": "descent"}), tmp_path)
    for loss, whole in (("train", "loss_train"), ("test", "loss_held_out")):
        parts = [found[f"mode_{loss}@{group}"][1000].value for group in ("population", "points", "rest")]
        assert 1 + sum(part for part in parts if part is not None) == pytest.approx(found[whole][1000].value)


def test_a_run_is_told_when_each_bulk_is_learnt_and_the_gap_comes_with_the_smallest_eigenvalues(tmp_path: Path) -> None:
    """At little noise the d directions in which the features of all training points cancel are where what is seen is xi alone."""
    usual = {"psi_p": 64, "psi_n": 8, "d": 12, "t": 0.01, "steps": 10**7}
    times = {"schedule": {"kind": "log_spaced", "first": 100, "count": 21}}
    spec, halved = (spec_of(**usual, measurement=times, eta=eta) for eta in (144.0, 72.0))
    found, slower = (run(chosen, tmp_path) for chosen in (spec, halved))
    assert {name for name in found if name.startswith("bulk_")} <= set(metric_infos(spec))
    parts = [found[f"bulk_gap@{place}"][100] for place in (1, 2, 3)]
    assert sum(part.value or 0 for part in parts) == pytest.approx(1) and all(part.count == 3 for part in parts)
    assert parts[2].low is not None and parts[2].low > 0.9
    foretold, passed = found["bulk_tau@3"][100].value, summarize_points(spec, list(flat(found)))[0]["tau_mem"].value
    # Modes of one bulk are learnt at times that differ by a factor of three, and half of the gap is not half of the modes.
    assert foretold is not None and passed is not None and 0.8 < passed / foretold < 1.5
    assert slower["bulk_tau@3"][100].value == pytest.approx(2 * foretold)


@pytest.mark.parametrize(
    "without",
    [{"psi_p": 2}, {"u": "exact", "activation": "relu"}, {"u": "exact", "dynamics": {"name": "loop", "optimizer": "adam"}, "eta": 0.05}],
)
def test_where_there_is_no_such_spectrum_nothing_is_foretold(without: dict[str, Any], tmp_path: Path) -> None:
    spec = spec_of(**{"steps": 4, "measurement": {"schedule": {"kind": "explicit", "at": [4]}}, **without})
    assert not [name for name in {*run(spec, tmp_path), *metric_infos(spec)} if name.startswith("bulk_")]


@pytest.mark.parametrize("dynamics", [{"noise_draws": 2}, {"noise_draws": None, "optimizer": "adam"}])
def test_a_loop_that_was_ended_goes_on_from_its_checkpoint_to_the_same_numbers(dynamics: dict[str, Any], tmp_path: Path) -> None:
    spec = spec_of(u="exact", dynamics={"name": "loop", **dynamics}, steps=40, eta=0.05)
    whole, first, second = Kept(), Kept(ends_at=20), Kept()
    run(spec, tmp_path, whole)
    run(spec, tmp_path, first)
    assert 0 < len(first.points) < len(whole.points)
    EXPERIMENTS[spec.kind](spec, device=torch.device("cpu"), folder=tmp_path).run(second, checkpoint=first.state)  # type: ignore[arg-type]
    assert first.points + second.points == whole.points


def test_the_checkpoint_of_another_spec_is_refused(tmp_path: Path) -> None:
    kept = Kept()
    run(spec_of(**LOOP), tmp_path, kept)
    other = spec_of(**LOOP, seed=7)
    with pytest.raises(CheckpointError, match="belongs to another spec"):
        EXPERIMENTS[other.kind](other, device=torch.device("cpu"), folder=tmp_path).begin(kept.state)


def test_more_training_points_are_copied_later_and_learnt_alike(tmp_path: Path) -> None:
    onsets = []
    for psi_n in (2, 4):
        spec = load_preset("rf-scaling").sweep.base.model_copy(update={"psi_n": psi_n, "d": 10, "draws": 3})
        points = [point for series in run(spec, tmp_path).values() for point in series.values()]
        onsets.append(summarize_points(spec, points)[0])
    first, second = onsets
    assert first["tau_mem"].high < second["tau_mem"].low  # type: ignore[operator]
    assert second["tau_mem"].value / first["tau_mem"].value == pytest.approx(2, rel=0.3)  # type: ignore[operator]


def test_a_spectrum_tells_its_masses_its_distance_and_no_onset(tmp_path: Path) -> None:
    spec = RfSpectrumSpec(psi_p=8, psi_n=3, d=40, t=0.1, draws=6)
    found = run(spec, tmp_path)
    assert set(found) <= set(metric_infos(spec))
    assert found["mass_continuous"][1].value == pytest.approx(found["mass_expected"][1].value, rel=1e-5)
    sampled, theory = (sum(p[1].value for name, p in found.items() if name.startswith(f"rho_{which}")) for which in ("sampled", "theory"))
    # Every sampled eigenvalue is in a bin: nothing is cut off and nothing renormalised.
    assert sampled == pytest.approx(0.5, rel=1e-12)
    assert theory == pytest.approx(0.5, rel=1e-3)
    l1 = found["l1"][1]
    assert l1.count == 6 and 0 < l1.low <= l1.value <= l1.high < 0.2  # type: ignore[operator]
    onsets, final = summarize_points(spec, [point for series in found.values() for point in series.values()])
    assert {onset.status for onset in onsets.values()} == {OnsetStatus.UNDEFINED}
    assert final["l1_count"] == 6 and not [name for name in final if name.startswith("rho_")]


def test_the_terminal_tells_a_spectrum_by_its_quantities_and_no_onset_that_nothing_could_have(tmp_path: Path) -> None:
    spec = RfSpectrumSpec(psi_p=8, psi_n=3, d=40, t=0.1, draws=3)
    points = [point for series in run(spec, tmp_path).values() for point in series.values()]
    onsets, final = summarize_points(spec, points)
    told_of = RunSummary(id="a", params={}, state="finished", onsets=onsets, final=final, seconds=1.0)
    summary = ExperimentSummary(experiment="spectrum", code_version="0", runs=(told_of,), fits={})
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(summary_table(summary))
    told = console.export_text()
    assert "mass_continuous" in told and re.search(r"l1 +0\.\d+ \(0\.\d+ to 0\.\d+\) of 3", told)
    assert "tau_" not in told.replace("bulk_tau", "") and "n_generated" not in told and "_low " not in told


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ({"kind": "rf_spectrum", "psi_p": 8, "psi_n": 8}, r"psi_p 8 is below 1 \+ psi_n = 9.*Raise psi_p"),
        ({"kind": "random_features", "d": 1, "u": "exact"}, "d = 1 is too small"),
        ({"kind": "random_features", "d": 2, "psi_n": 0.1}, "n = 0 at d = 2"),
        ({"kind": "random_features", "sigma": {"variance": 1, "second_variance": 0}}, "Sigma is singular"),
        ({"kind": "random_features", "activation": "relu"}, "Use the exact U"),
        ({"kind": "random_features", "d": 1000, "psi_p": 1000, "u": "exact"}, r"bytes \(.*GiB\) at once.*set u to gaussian"),
        ({"kind": "rf_spectrum", "d": 90_000}, r"bytes \(.*GiB\) at once. Lower d, psi_n or psi_p$"),
        ({"kind": "random_features", "dynamics": {"name": "loop"}}, "Set u to exact"),
        ({"kind": "random_features", "u": "exact", "dynamics": {"name": "loop", "optimizer": "adam"}}, "Set eta"),
        ({"kind": "random_features", "onsets": {"tau_gen": {"metric": "frechet_pca", "level": 1}}}, "Choose from score_error"),
        ({"kind": "random_features", "onsets": {"tau_mem": {"metric": "gap_share", "level": 1}}}, "between 0 and 1"),
    ],
)
def test_bad_input_is_refused_before_launch(base: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        parse_sweep({"name": "bad", "base": base})


def test_matrices_that_this_machine_cannot_hold_are_told_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = spec_of(psi_p=100)
    assert isinstance(spec, RandomFeaturesSpec) and not missing(spec)
    monkeypatch.setattr("tauscope.needs.os.sysconf", lambda name: 100)
    (problem,) = missing(spec)
    assert f"{spec.needed_bytes:,} bytes, and this machine has 10,000" in str(problem)


@pytest.mark.parametrize("dynamics", [{"name": "descent"}, {"name": "loop", "optimizer": "gd"}])
def test_descent_that_diverges_is_refused_before_it_is_launched_and_the_rate_that_is_named_is_stable(
    dynamics: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(SpecError, match="diverge") as caught:
        spec_of(dynamics=dynamics, u="exact", eta=1e6)
    (named,) = re.findall(r"Set eta to ([\d.e+]+) or less", str(caught.value))
    told = run(spec_of(dynamics=dynamics, u="exact", eta=float(named)), tmp_path)
    assert all(point.value is not None and np.isfinite(point.value) for point in told["loss_held_out"].values())
    assert told["loss_train_theory" if dynamics["name"] == "loop" else "loss_train"][1000].value < 1  # type: ignore[operator]


def test_a_rate_that_no_step_follows_is_not_judged() -> None:
    assert spec_of(eta=1e6) and spec_of(dynamics={"name": "loop", "optimizer": "adam"}, u="exact", eta=1e6)


def test_a_draw_beyond_the_room_of_the_bound_still_says_which_rate_does_not_diverge() -> None:
    """One in a thousand; here the bound is passed by."""
    model = RandomFeatures(6, 2, 8, 0.1)
    solved = Solved.of(model, equivalent_covariances(model, draw_equivalent(model, np.random.default_rng(1))))
    with pytest.raises(TheoryError, match="diverge"):
        solved.descent(np.array([10]), 1e6)


def test_lists_read_the_number_of_training_points_off_a_stored_spec() -> None:
    spec = spec_of()
    assert n_train_of(spec.model_dump(mode="json")) == spec.n_train == 16
