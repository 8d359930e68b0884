"""The phase diagram on runs of a known truth: the right state, or an honest one; brackets that hold the truth, or none."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tauscope.analysis.phase import phase_diagram
from tauscope.analysis.phase_prediction import Prediction
from tauscope.analysis.phase_states import MOST_COPIED, MOST_GAP, MeasuredRun, state_of
from tauscope.analysis.summary import summarize_points
from tauscope.contracts.phase import Boundary, BoundaryKind, CellState, Interval, PhaseCell, PhaseDiagram
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
    assert states(whole(), 16) == ["memorizes", "window", "window", "window", "window"]
    assert states(whole(), 8)[2:] == ["window", "plateau", "plateau"]
    assert [item.parameters for item in whole().cells] == sorted(item.parameters for item in whole().cells)
    window = cell(whole(), 64, 16)
    assert window.tau_gen is not None and window.tau_mem is not None
    assert f"a window from {window.tau_gen.high:.0f} to {window.tau_mem.low:.0f}" in window.reason
    plateau = cell(whole(), 64, 8)
    assert "times the upper end of the predicted tau_mem" in plateau.reason and "8 onsets of other cells" in plateau.reason
    assert plateau.predicted_tau_mem is not None
    assert plateau.predicted_tau_mem.low < law(64, 8) < plateau.predicted_tau_mem.high


def test_no_run_of_a_cell_is_said_to_have_gone_on_for_as_long_as_another() -> None:
    short, long = (replace(truth(64, 16), seed=seed, tau_mem=None, steps=steps) for seed, steps in ((1, 300), (2, 900)))
    found = cell(diagram([short, replace(short, seed=3), long]), 64, 16)
    assert found.tau_mem is not None
    assert found.tau_mem.reason == "2 of 3 runs: not by 300; 1 of 3 runs: not by 900"


def test_n_star_lies_between_the_largest_n_that_copies_and_the_least_plateau() -> None:
    star = boundary(whole(), "plateau", 8)
    assert (star.identified, star.low, star.high, star.value) == (True, 32, 64, pytest.approx(math.sqrt(32 * 64)))
    assert star.low < STAR < star.high
    wide = boundary(whole(), "plateau", 16)
    assert (wide.identified, wide.value, wide.low, wide.high) == (False, None, 128, None)
    assert wide.reason == "not identified: no n clearly is a plateau; above n = 128, if anywhere"


def test_a_window_begins_between_what_clearly_memorizes_and_what_is_clearly_good_first() -> None:
    assert (boundary(whole(), "window", 16).low, boundary(whole(), "window", 16).high) == (8, 16)
    coarse = diagram([truth(n, width, checkpoints=6) for width in WIDTHS for n in SIZES])
    doubtful = cell(coarse, 16, 16)  # 30 and 48 steps lie within a cell of this grid.
    assert doubtful.state is CellState.MEMORIZES and not doubtful.settled and "not clearly before" in doubtful.reason
    found = boundary(coarse, "window", 16)
    assert 16 not in (found.low, found.high)


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


def test_copying_far_later_than_the_law_is_no_plateau_and_makes_none_beside_it() -> None:
    """Twelve times as late, and followed for eleven: the loss gap is wide open by then, and as a bound the run bends the law."""
    truths = [truth(n, width) for width in WIDTHS for n in SIZES if (n, width) != (128, 8)]
    found = diagram([*truths, truth(128, 8, tau_mem=12 * law(128, 8), steps=round(11 * law(128, 8)))])
    assert cell(found, 128, 8).state is not CellState.PLATEAU
    assert cell(found, 64, 8).state is CellState.CENSORED
    assert not boundary(found, "plateau", 8).identified


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


def test_under_noise_a_settled_state_is_seldom_wrong_and_a_bracket_holds_the_true_n_star() -> None:
    """Ten sweeps of ten cells, quality at 30 steps and copying from 13 to 713; the decision record has the counts over a hundred."""
    wrong = stars = brackets = 0
    for seed in range(_REPETITIONS):
        found = diagram([truth(n, width) for width in WIDTHS for n in SIZES], seed)
        wrong += sum(item.settled and item.state not in true_states(item) for item in found.cells)
        star = boundary(found, "plateau", 8)
        stars += star.identified
        brackets += star.identified and (star.low or 0) < STAR < (star.high or 0)
    assert wrong <= 0.05 * _REPETITIONS * len(WIDTHS) * len(SIZES)
    assert brackets == stars >= 0.8 * _REPETITIONS


_REPETITIONS = 10


def true_states(item: PhaseCell) -> tuple[CellState, ...]:
    if item.width == 8 and item.n > STAR:
        return (CellState.PLATEAU, CellState.CENSORED)
    return (CellState.MEMORIZES if law(item.n, item.width) < 30 else CellState.WINDOW,)


@pytest.mark.parametrize("ending", [{"copies_at_end": MOST_COPIED}, {"gap_at_end": MOST_GAP}], ids=["copies", "gap"])
def test_what_is_no_plateau_by_a_hair_passes_for_one_as_seldom_as_its_interval_says(ending: dict[str, float]) -> None:
    """f_mem of exactly 1 %, or a gap of exactly 5 %, at the last checkpoint alone: one end of a 95 % interval errs in 2.5 %."""
    foretold = Prediction(Interval(value=100, low=90, high=110), "predicted")
    rng, repetitions = np.random.default_rng(0), 120
    runs = (measured(Truth(64, steps=1200, checkpoints=6, gap_error=0.004, **ending), rng) for _ in range(repetitions))  # type: ignore[arg-type]
    passed = sum(state_of(run, foretold).state is CellState.PLATEAU for run in runs)
    assert passed <= 8  # 2.5 % of 120 is 3; three standard deviations above is 8.1
