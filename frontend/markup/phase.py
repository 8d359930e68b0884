"""The words of the phase page: what was found, the marks, every cell with its numbers, both boundaries, and what the states mean."""

from collections import Counter

from frontend.charts.phase import LETTERS, cell_key, state_words
from frontend.markup.header import address
from frontend.markup.html import F_MEM, TAU_GEN, TAU_MEM, Html, join, tag, text
from frontend.markup.sections import section, table
from frontend.words import interval, onset_words, plural, sentence, steps
from tauscope.contracts.onsets import Onset
from tauscope.contracts.phase import Boundary, CellState, PhaseCell, PhaseDiagram

__all__ = ["cell_card", "phase_finding", "phase_keys", "phase_tables", "said"]

_COUNTED = {
    CellState.MEMORIZES: ("memorizes", "memorize"),
    CellState.WINDOW: ("has a window", "have a window"),
    CellState.CENSORED: ("is censored", "are censored"),
    CellState.PLATEAU: ("is a plateau", "are plateaus"),
    CellState.UNDEFINED: ("is undefined", "are undefined"),
}
_BOUNDARIES = {"plateau": Html("n*(p)"), "window": "memorizes to window"}


def phase_finding(found: PhaseDiagram) -> Html:
    """How many cells are in which state, and whether n*(p) is known."""
    counts = Counter(cell.state for cell in found.cells)
    if found.missing or not counts:
        return join("No phase diagram: ", found.missing or "nothing was measured yet", ".")
    told = ", ".join(f"{count} {_COUNTED[state][count > 1]}" for state in CellState if (count := counts[state]))
    return join(f"{plural(len(found.cells), 'cell')}: {told}. ", *[f"{words} " for words in _stars(found)])


def _stars(found: PhaseDiagram) -> list[str]:
    stars = [item for item in found.boundaries if item.kind == "plateau"]
    known = [f"n* at p = {item.parameters:,}: {interval(item.low, item.high)}." for item in stars if item.identified]
    others = [item for item in stars if not item.identified]
    if not others:
        return known
    plateau = any(cell.state is CellState.PLATEAU for cell in found.cells)
    why = "" if plateau else ": no cell is a plateau, so that nothing here supports generalization by architecture"
    at = f" at {len(others)} of {len(stars)} values of p" if known else ""
    return [*known, f"n*(p) is not identified{at}{why}."]


def phase_keys() -> Html:
    """The words in the tiles, and the two lines."""
    words = [tag("span", tag("b", LETTERS[state]), f" {state}") for state in CellState]
    lines = (
        tag("span", "Solid bracket: n*(p)"),
        tag("span", "Dotted bracket: memorizes to window"),
        tag("span", "Arrow: open on that side"),
        tag("span", "?: the intervals leave another state possible"),
    )
    return tag("div", *words, *lines, class_="tau-keys")


def cell_card(cell: PhaseCell) -> Html:
    """What a cell rests on: its state with the numbers, each run by itself, and where its curves are."""
    name = f"n = {cell.n:,}, p = {cell.parameters:,} (W = {cell.width})"
    curves = address("compare", runs=",".join(cell.runs))
    rows = [[_run_link(run.run), str(run.state), steps(run.steps), said(run.reason)] for run in cell.judged]
    head = tag("p", tag("b", f"{name}: {state_words(cell)}: "), said(cell.reason))
    foretold = tag("p", said(cell.prediction), class_="tau-quiet") if cell.prediction and cell.prediction not in cell.reason else None
    link = tag("a", "Curves of these runs", class_="tau-button", href=curves, data_go=curves)
    return tag(
        "section",
        head,
        foretold,
        table(("run", "state", "measured to τ", "why"), rows, "") if len(rows) > 1 else None,
        tag("div", link, *([_run_link(cell.runs[0], "Its run", class_="tau-button")] if len(cell.runs) == 1 else []), class_="tau-buttons"),
        class_="tau-card tau-cell",
        aria_label=f"Cell {name}",
    )


def said(reason: str) -> Html:
    """A reason with its symbols as pages write them."""
    words = text(reason)
    for name, symbol in (("tau_gen", TAU_GEN), ("tau_mem", TAU_MEM), ("f_mem", F_MEM)):
        words = Html(words.replace(name, symbol))
    return words


def _run_link(run: str, words: str | None = None, **attributes: str) -> Html:
    to = address("run", id=run)
    return tag("a", words or run, href=to, data_go=to, **attributes)


def phase_tables(found: PhaseDiagram, chosen: PhaseCell | None) -> Html:
    """The diagram as tables, for whoever does not see it."""
    head = ("n", "p", "state", "runs", "measured to τ", TAU_GEN, TAU_MEM, "predicted", "why")
    cells = table(head, [_row(cell, cell == chosen) for cell in found.cells], "No run yet.")
    brackets = [[f"{item.parameters:,}", _BOUNDARIES[item.kind], _bracket(item), sentence(item.reason)] for item in found.boundaries]
    edges = table(("p", "boundary", "n between", "why"), brackets, "No boundary.")
    meaning = [tag("p", tag("b", f"{name}: "), said(words)) for name, words in found.definitions.items()]
    return join(
        section("Every cell", cells),
        section("Boundaries along n", edges),
        tag("details", tag("summary", "What the states mean"), *meaning, class_="tau-details"),
    )


def _bracket(item: Boundary) -> Html:
    if item.identified:
        return tag("b", interval(item.low, item.high))
    return tag("span", "not identified", class_="tau-quiet")


def _row(cell: PhaseCell, chosen: bool) -> list[object]:
    key = cell_key(cell)
    name = tag("button", f"{cell.n:,}", type="button", class_="tau-button", data_cell=key, data_focus=key, aria_pressed=str(chosen).lower())
    foretold = cell.predicted_tau_mem
    return [
        name,
        f"{cell.parameters:,}",
        tag("b", state_words(cell)),
        len(cell.runs),
        steps(cell.steps),
        _onset(cell.tau_gen),
        _onset(cell.tau_mem),
        join(steps(foretold.value), tag("span", f" {interval(foretold.low, foretold.high)}", class_="tau-quiet")) if foretold else "",
        tag("span", said(cell.reason), class_="tau-why"),
    ]


def _onset(onset: Onset | None) -> Html:
    if onset is None:
        return tag("span", "not measured", class_="tau-quiet")
    value, spread = onset_words(onset)
    return join(tag("b" if onset.value is not None else "span", value), tag("span", f" {spread}", class_="tau-quiet"))
