"""The phase diagram on runs of a known truth: the right state, or an honest one; brackets that hold the truth, or none."""

import math
from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tauscope.analysis.phase import phase_diagram
from tauscope.analysis.phase_states import MeasuredRun
from tauscope.analysis.summary import summarize_points
from tauscope.contracts.phase import Boundary, BoundaryKind, CellState, PhaseCell, PhaseDiagram
from tests.phase_runs import Truth, measured

SIZES, WIDTHS = (8, 16, 32, 64, 128), (8, 16)
STAR = 50.0
"""The true n* at width 8: larger n never copy there."""


def law(n: int, width: int) -> float:
    """The tau_mem that is true wherever there is copying."""
    return 1.3 * n**1.3 * 16 / width


def truth(n: int, width: int, *, times: float = 25.0, **options: object) -> Truth:
    """A run long enough to show what there is: 1.8 times tau_mem, or ``times`` what the law foretells where nothing is copied."""
    flat = width == 8 and n > STAR
    steps = round(law(n, width) * (times if flat else 1.8)) + 20
    return replace(Truth(n, width, tau_mem=None if flat else law(n, width), steps=steps, gap_error=0.004), **options)  # type: ignore[arg-type]


def diagram(truths: list[Truth], seed: int = 0) -> PhaseDiagram:
    rng = np.random.default_rng(seed)
    return phase_diagram("made up", [measured(item, rng) for item in truths])


@cache
def whole() -> PhaseDiagram:
    return diagram([truth(n, width) for width in WIDTHS for n in SIZES])


def cell(found: PhaseDiagram, n: int, width: int) -> PhaseCell:
    return next(item for item in found.cells if (item.n, item.width) == (n, width))


def boundary(found: PhaseDiagram, kind: BoundaryKind, width: int) -> Boundary:
    return next(item for item in found.boundaries if (item.kind, item.width) == (kind, width))


def states(found: PhaseDiagram, width: int) -> list[str]:
    return [str(item.state) for item in found.cells if item.width == width]


def test_each_phase_is_found_where_it_is_true_and_says_what_it_rests_on() -> None:
    assert states(whole(), 16) == ["memorizes", "memorizes", "window", "window", "window"]
    assert states(whole(), 8)[2:] == ["window", "plateau", "plateau"]
    assert [item.parameters for item in whole().cells] == sorted(item.parameters for item in whole().cells)
    window = cell(whole(), 64, 16)
    assert window.tau_gen is not None and window.tau_mem is not None
    assert f"a window from {window.tau_gen.high:.0f} to {window.tau_mem.low:.0f}" in window.reason
    plateau = cell(whole(), 64, 8)
    assert "times the upper end of the predicted tau_mem" in plateau.reason and "8 onsets of other cells" in plateau.reason
    assert plateau.predicted_tau_mem is not None
    assert plateau.predicted_tau_mem.low < law(64, 8) < plateau.predicted_tau_mem.high


def test_n_star_lies_between_the_largest_n_that_copies_and_the_least_plateau() -> None:
    star = boundary(whole(), "plateau", 8)
    assert (star.identified, star.low, star.high, star.value) == (True, 32, 64, pytest.approx(math.sqrt(32 * 64)))
    assert star.low < STAR < star.high
    wide = boundary(whole(), "plateau", 16)
    assert (wide.identified, wide.value, wide.low, wide.high) == (False, None, 128, None)
    assert wide.reason == "not identified: no n clearly is a plateau; above n = 128, if anywhere"


def test_a_window_begins_between_what_clearly_memorizes_and_what_is_clearly_good_first() -> None:
    """At n = 16 the onsets are 30 and 48, within a cell of the grid: it memorizes as far as can be told, and bounds nothing."""
    assert cell(whole(), 16, 16).state is CellState.MEMORIZES and not cell(whole(), 16, 16).settled
    found = boundary(whole(), "window", 16)
    assert (found.low, found.high) == (8, 32)


def test_no_copying_up_to_the_budget_is_no_plateau_however_flat() -> None:
    """Flat to three times the prediction, and a model of which nothing is foretold: censored, with what is missing."""
    short = diagram([truth(n, width, times=3) for width in WIDTHS for n in SIZES])
    found = cell(short, 128, 8)
    assert found.state is CellState.CENSORED
    assert "steps that 10 times the upper end asks for" in found.reason
    alone = diagram([truth(64, 8), truth(128, 8), truth(64, 16, tau_mem=None)])
    assert {item.state for item in alone.cells} == {CellState.CENSORED}
    assert all("no prediction" in item.reason for item in alone.cells)
    assert not any(item.identified for item in alone.boundaries)


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({"samples": 256}, "with no copy at least 368 samples are needed"),
        ({"gap_error": 0.05}, "the relative loss gap at index"),
        ({"tau_gen": None}, "a model that learns nothing is flat as well"),
    ],
)
def test_a_plateau_needs_samples_pairs_and_quality(options: dict[str, object], missing: str) -> None:
    truths = [truth(n, width) for width in WIDTHS for n in SIZES if (n, width) != (128, 8)]
    found = cell(diagram([*truths, truth(128, 8, **options)]), 128, 8)
    assert found.state is CellState.CENSORED and missing in found.reason


def test_two_plateaus_do_not_hide_each_other() -> None:
    """Were the flat runs bounds of the law that judges them, it would bend until neither had been followed for long enough."""
    assert cell(whole(), 64, 8).state is cell(whole(), 128, 8).state is CellState.PLATEAU
    foretold = cell(whole(), 128, 8).predicted_tau_mem
    assert foretold is not None and foretold.high < 2 * law(128, 8)


def test_copying_that_is_certain_but_below_its_level_is_a_window_already() -> None:
    truths = [truth(n, 16) for n in SIZES[:-1]]
    found = cell(diagram([*truths, truth(128, 16, steps=round(0.75 * law(128, 16)), checkpoints=40)]), 128, 16)
    assert found.tau_mem is not None and found.tau_mem.value is None
    assert found.state is CellState.WINDOW and "copying is certain at the last two checkpoints" in found.reason


def test_a_run_that_failed_or_diverged_has_no_state_and_no_part_in_the_prediction() -> None:
    truths = [truth(n, width) for width in WIDTHS for n in SIZES if (n, width) != (32, 16)]
    found = diagram([*truths, truth(32, 16, state="failed")])
    assert cell(found, 32, 16).state is CellState.UNDEFINED and cell(found, 32, 16).reason.startswith("failed")
    assert "7 onsets of other cells" in cell(found, 64, 8).prediction


def test_seeds_agree_on_a_state_or_the_cell_says_how_many_say_what() -> None:
    rest = [truth(n, 16) for n in SIZES if n != 32]
    agree = cell(diagram([*rest, *(truth(32, 16, seed=seed) for seed in (1, 2, 3))]), 32, 16)
    assert agree.state is CellState.WINDOW and "3 of 3 window" in agree.reason
    assert agree.tau_mem is not None and agree.tau_mem.reason == "geometric mean of 3 runs"
    early = [truth(32, 16, seed=1), truth(32, 16, seed=2, steps=60)]
    assert cell(diagram([*rest, *early]), 32, 16).state is CellState.WINDOW
    late = cell(diagram([*rest, truth(32, 16, seed=1), truth(32, 16, seed=2, tau_mem=None, steps=5000)]), 32, 16)
    assert late.state is CellState.UNDEFINED and "runs differ: 1 of 2 window" in late.reason and not late.settled


def test_a_plateau_below_an_n_that_copies_identifies_nothing() -> None:
    """Made so that the order contradicts itself: flat at n = 32, copying at 64."""
    truths = [truth(n, 16) for n in SIZES] + [truth(n, 8) for n in (8, 16)]
    truths += [truth(32, 8, tau_mem=None, steps=round(40 * law(32, 8))), truth(64, 8, tau_mem=law(64, 8), steps=round(2 * law(64, 8)))]
    found = boundary(diagram(truths), "plateau", 8)
    assert (found.identified, found.low, found.high) == (False, None, None)
    assert "the order contradicts itself, copies at n = 64 though is a plateau at n = 32" in found.reason


def test_what_has_one_p_one_n_or_differs_otherwise_is_no_diagram_and_says_why() -> None:
    assert diagram([truth(n, 16) for n in SIZES]).missing == "the runs have one p, 176,849: a diagram needs several of both"
    assert diagram([truth(8, 16)]).missing.startswith("the runs have one n, 8 and one p, 176,849")
    assert diagram([]).missing == "there is no run yet"
    mixed = diagram([truth(8, 16), truth(16, 16, params={"lr": 0.1})])
    assert mixed.missing.startswith("the runs also differ in lr") and not mixed.cells


def test_a_sweep_that_lost_half_its_points_still_answers_and_claims_no_more() -> None:
    """Every second checkpoint of every run is gone: no state may be claimed that the whole sweep did not show."""
    rng = np.random.default_rng(0)
    found = phase_diagram("half", [halved(measured(truth(n, width), rng)) for width in WIDTHS for n in SIZES])
    for item in found.cells:
        before = cell(whole(), item.n, item.width).state
        assert item.state in (before, CellState.CENSORED) or not item.settled
    star = boundary(found, "plateau", 8)
    assert not star.identified or (star.low or 0) < STAR < (star.high or 0)


def halved(run: MeasuredRun) -> MeasuredRun:
    steps = sorted({point.step for point in run.points})[::2]
    points = [point for point in run.points if point.step in steps]
    return replace(run, points=points, summary=run.summary.model_copy(update={"onsets": summarize_points(run.spec, points)[0]}))


def test_under_noise_a_settled_state_is_seldom_wrong_and_slow_copying_is_no_plateau() -> None:
    """Twenty sweeps. The truth at width 16 is copying everywhere; at (128, 8) it is copying twelve times as late as the law says, which
    is flat for long, and must not pass for a plateau more often than its interval allows."""
    wrong: Counter[str] = Counter()
    for seed in range(_REPETITIONS):
        truths = [truth(n, width) for width in WIDTHS for n in SIZES if (n, width) != (128, 8)]
        slow = truth(128, 8, tau_mem=12 * law(128, 8), steps=round(11 * law(128, 8)))
        found = diagram([*truths, slow], seed)
        wrong["plateau"] += cell(found, 128, 8).state is CellState.PLATEAU
        wrong["window 8"] += _settled(found, 8, 16) is CellState.WINDOW  # tau_gen 30, tau_mem 19
        wrong["memorizes 64"] += _settled(found, 64, 16) is CellState.MEMORIZES  # tau_gen 30, tau_mem 290
        star = boundary(found, "plateau", 8)
        wrong["star"] += star.identified and not (star.low or 0) < STAR < (star.high or 0)
    assert max(wrong.values(), default=0) <= 0.05 * _REPETITIONS, wrong


_REPETITIONS = 20


def _settled(found: PhaseDiagram, n: int, width: int) -> CellState | None:
    item = cell(found, n, width)
    return item.state if item.settled else None
