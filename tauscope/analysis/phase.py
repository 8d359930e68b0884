"""The phase diagram of an experiment: a state for every (n, p), and the boundaries between states.

After Bonnaire et al. 2025 (arXiv:2505.17638), Figure 3, with states that say what was measured: that no copying was seen up to a budget is
no phase, and only a plateau up to ten times the tau_mem that the other cells foretell supports generalization by architecture.
"""

import math
from collections import Counter
from collections.abc import Sequence

from tauscope.analysis.phase_boundaries import boundaries
from tauscope.analysis.phase_prediction import Prediction, predict_tau_mem
from tauscope.analysis.phase_states import COPIES, MOST_COPIED, MOST_GAP, TIMES_PREDICTED, MeasuredRun, RunState, state_of
from tauscope.analysis.scaling import AXES, REPEATS
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.phase import CellState, PhaseCell, PhaseDiagram, PhaseRun
from tauscope.contracts.runs import TERMINAL_STATES
from tauscope.contracts.summary import RunSummary
from tauscope.contracts.wording import percent

DEFINITIONS = {
    CellState.MEMORIZES: "copies, and quality did not arrive clearly before: tau_gen's interval ends after tau_mem's begins",
    CellState.WINDOW: "good, then copies: tau_gen's interval ends by where tau_mem's begins, and copying was seen",
    CellState.CENSORED: "copying not seen by the last checkpoint; it may come later",
    CellState.PLATEAU: f"good, and up to {TIMES_PREDICTED} times the predicted tau_mem every upper 95 % end of f_mem minus control "
    f"is under {percent(MOST_COPIED)} and of the relative loss gap under {percent(MOST_GAP)}; it alone supports "
    "generalization by architecture",
    CellState.UNDEFINED: "no state: nothing measured, diverged, failed, or runs that differ",
    "window boundary": "between the largest n that memorizes and the smallest at which quality arrives clearly before copying",
    "n*(p)": "between the largest n that copies and the smallest that is a plateau",
}

_Place = tuple[int, int, int]  # Parameters, width, n: the order of the cells.


def phase_diagram(experiment: str, runs: Sequence[MeasuredRun]) -> PhaseDiagram:
    """The cells of the runs, each with its state, and the boundaries at every p."""
    mixed = _differ_otherwise(runs) or _uncounted(runs)
    places: dict[_Place, list[MeasuredRun]] = {}
    for run in runs if not mixed else ():
        places.setdefault(_place(run), []).append(run)
    cells = tuple(_cell(place, places) for place in sorted(places))
    return PhaseDiagram(
        experiment=experiment,
        cells=cells,
        boundaries=boundaries(cells),
        definitions={str(name): words for name, words in DEFINITIONS.items()},
        missing=mixed or _lacks_an_axis(list(places)),
    )


def _place(run: MeasuredRun) -> _Place:
    parameters, width = run.spec.parameters, run.spec.width
    assert parameters is not None and width is not None
    return parameters, width, run.spec.n_train


def _uncounted(runs: Sequence[MeasuredRun]) -> str:
    kinds = sorted({run.spec.kind for run in runs if run.spec.parameters is None or run.spec.width is None})
    return f"runs of kind {' and '.join(kinds)} have no number of parameters to be told before they run" if kinds else ""


def _differ_otherwise(runs: Sequence[MeasuredRun]) -> str:
    known = REPEATS | {name for names in AXES.values() for name in names}
    others = {name for run in runs for name in run.summary.params} - known
    return f"the runs also differ in {', '.join(sorted(others))}, so that they are no one diagram" if others else ""


def _lacks_an_axis(places: Sequence[_Place]) -> str:
    if not places:
        return "there is no run yet"
    sizes, networks = {place[2] for place in places}, {place[:2] for place in places}
    lacks = [f"one n, {next(iter(sizes)):,}"] * (len(sizes) == 1) + [f"one p, {next(iter(networks))[0]:,}"] * (len(networks) == 1)
    return f"the runs have {' and '.join(lacks)}: a diagram needs several of both" if lacks else ""


def _cell(place: _Place, places: dict[_Place, list[MeasuredRun]]) -> PhaseCell:
    parameters, width, n = place
    runs = places[place]
    prediction = _prediction(place, places)
    states = [state_of(run, prediction) for run in runs]
    found = _together(states, runs)
    return PhaseCell(
        n=n,
        parameters=parameters,
        width=width,
        runs=tuple(run.summary.id for run in runs),
        judged=tuple(
            PhaseRun(run=run.summary.id, state=told.state, reason=told.reason, steps=run.steps)
            for run, told in zip(runs, states, strict=True)
        ),
        state=found.state,
        settled=found.settled,
        under_way=sum(run.summary.state not in TERMINAL_STATES for run in runs),
        reason=found.reason,
        steps=max(run.steps for run in runs),
        tau_gen=_combined("tau_gen", runs),
        tau_mem=_combined("tau_mem", runs),
        predicted_tau_mem=prediction.interval,
        prediction=prediction.words,
    )


def _prediction(place: _Place, places: dict[_Place, list[MeasuredRun]]) -> Prediction:
    """By the law of the other cells; nothing is foretold where every run has copied.

    A run that is flat throughout says nothing of when copying begins: as a bound it would push the law away from the very cells that it
    is to judge, so that two plateaus would hide each other.
    """
    own = [run.summary.onsets.get("tau_mem") for run in places[place]]
    if all(onset is not None and onset.status in (OnsetStatus.REACHED, OnsetStatus.BEFORE_FIRST) for onset in own):
        return Prediction(None, "")
    others = [_placed(run, key) for key, runs in places.items() if key != place for run in runs if _informs(run)]
    return predict_tau_mem(others, n=place[2], width=place[1])


def _informs(run: MeasuredRun) -> bool:
    onset = run.summary.onsets.get("tau_mem")
    return run.summary.state != "failed" and onset is not None and not (onset.status is OnsetStatus.CENSORED and run.flat)


def _placed(run: MeasuredRun, place: _Place) -> RunSummary:
    return run.summary.model_copy(update={"params": {"n_train": place[2], "width": place[1]}})


def _together(states: Sequence[RunState], runs: Sequence[MeasuredRun]) -> RunState:
    """The state of a cell: that on which its judged runs agree, or how many say what."""
    judged = [told for told in states if told.state is not CellState.UNDEFINED]
    if not judged:
        return states[0]._replace(reason="; ".join(dict.fromkeys(told.reason for told in states)))
    counts = Counter(told.state for told in judged)
    settled = all(told.settled for told in judged)
    counted = ", ".join(f"{count} of {len(states)} {state}" for state, count in Counter(told.state for told in states).items())
    reasons = judged[0].reason if len(states) == 1 else f"{counted}. " + "; ".join(f"{told.reason}" for told in states)
    if len(counts) == 1:
        return RunState(judged[0].state, reasons, settled)
    said = set(counts) - {CellState.CENSORED}
    if len(said) == 1 and _on_their_way(states, runs):
        return RunState(said.pop(), reasons, settled)
    if said == {CellState.PLATEAU}:
        return RunState(CellState.CENSORED, reasons, settled)
    return RunState(CellState.UNDEFINED, f"runs differ: {reasons}", settled=False)


def _on_their_way(states: Sequence[RunState], runs: Sequence[MeasuredRun]) -> bool:
    """Whether those that are censored ended before those that copy were sure to."""
    copied = [run.summary.onsets["tau_mem"].high for run, told in zip(runs, states, strict=True) if told.state in COPIES]
    last = [run.steps for run, told in zip(runs, states, strict=True) if told.state is CellState.CENSORED]
    return bool(copied) and all(high is None or max(last) <= high for high in copied)


def _combined(name: str, runs: Sequence[MeasuredRun]) -> Onset | None:
    """One onset for all runs of a cell: the geometric mean where all reached it, between the outermost ends."""
    found = [run.summary.onsets[name] for run in runs if name in run.summary.onsets]
    known = [onset for onset in found if onset.status is not OnsetStatus.UNDEFINED]
    if len(known) <= 1:
        return known[0] if known else (found[0] if found else None)
    low = min((onset.low or 0.0 for onset in known), default=0.0)
    ends = [onset.high for onset in known]
    high = None if None in ends else max(end for end in ends if end is not None)
    common = {"low": low, "metric": known[0].metric, "level": known[0].level}
    values = [onset.value for onset in known if onset.value is not None]
    if len(values) == len(known):
        mean = math.exp(sum(map(math.log, values)) / len(values))
        return Onset(value=mean, high=high, status=OnsetStatus.REACHED, reason=f"geometric mean of {len(values)} runs", **common)
    missing = [onset for onset in known if onset.value is None]
    told = Counter(onset.reason for onset in missing)  # Runs may have gone on for longer than others.
    reason = "; ".join(f"{count} of {len(known)} runs: {words}" for words, count in told.items())
    status = OnsetStatus.CENSORED if any(onset.status is OnsetStatus.CENSORED for onset in missing) else OnsetStatus.BEFORE_FIRST
    return Onset(value=None, high=None if status is OnsetStatus.CENSORED else high, status=status, reason=reason, **common)
