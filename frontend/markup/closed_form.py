"""The words of the page of a closed form: what a run or a spectrum says, what is drawn, and every number as a table."""

from collections.abc import Mapping, Sequence

from frontend.charts.closed_form import LINES, MODES, THEORY
from frontend.charts.rf_density import bulks_of, names_of, value_of
from frontend.charts.run_lines import Row, measured_rows
from frontend.markup.html import Html, join, signed, tag
from frontend.markup.sections import section, table
from frontend.words import interval, interval_percent, number, onset_words, percent, plural, steps
from tauscope.contracts.curves import Curves
from tauscope.contracts.run_views import RunView

_BULKS = ("bulk", "eigenvalues", "median", "share of all eigenvalues", "directions, in units of d", "time scale τ of the median")
_GAP = "part of the final gap (95 %)"
_FORETOLD = (
    "Foretold from the sizes alone, in the limit of many dimensions: after the time scale a mode of the bulk's median eigenvalue has 1/e "
    "left to learn. Part of the final gap: what as many eigenvalues of this run's U have in test less training loss after infinitely long "
    "training, mean of {} draws."
)
_COLUMNS = {**LINES, "loss_gap": "relative gap", "gap_share": "gap, share of its limit"}


def run_finding(name: str, run: RunView, curves: Curves) -> Html:
    """The least E_score, what it comes to, and both onsets."""
    rows = measured_rows(curves.runs.get(run.id, {}).get("score_error"))
    if not rows:
        return join(f"{name}: nothing is told yet.")
    least, last = min(rows, key=lambda row: row[1]), rows[-1]
    onsets = ", ".join(f"{key} {_onset(run, key)}" for key in ("tau_gen", "tau_mem") if key in run.onsets)
    return signed(
        f"{name}: E_score is least at τ {steps(least[0])}, {_value(least)}, and {_value(last)} at τ {steps(last[0])}; "
        f"{last[4]:,} draws. {onsets}."
    )


def _onset(run: RunView, key: str) -> str:
    onset = run.onsets[key]
    return f"{steps(onset.value)} ({interval(onset.low, onset.high)})" if onset.value is not None else onset_words(onset)[0]


def spectrum_finding(name: str, run: RunView, curves: Curves) -> Html:
    """Atom, masses, and how far the sampled histogram is from the density."""
    atom, mass, whole, expected = (value_of(run, curves, metric) for metric in ("atom", "mass_atom", "mass_continuous", "mass_expected"))
    rows = measured_rows(curves.runs.get(run.id, {}).get("l1"))
    if not (atom and mass and whole and expected and rows):
        return join(f"{name}: nothing is computed yet.")
    _, l1, low, high, draws = rows[-1]
    bulks = plural(len(bulks_of(run, curves)), "bulk")
    return join(
        f"{name}: an atom at λ = {number(atom[0])} with {100 * mass[0]:.2f} % of the eigenvalues, and {bulks} with "
        f"{100 * whole[0]:.2f} %, which must be {100 * expected[0]:.2f} %. Sampled eigenvalues differ from the density by {percent(l1)} "
        f"({percent(low)} to {percent(high)}) of that mass, over {draws} draws."
    )


def bulk_table(run: RunView, curves: Curves, ratios: Mapping[str, float], *, missing: str = "") -> Html | None:
    """Every bulk, the largest eigenvalues first; else why none is known."""
    bulks = bulks_of(run, curves)
    if not bulks:
        return section("Bulks of the spectrum", tag("p", f"None is foretold: {missing}.", class_="tau-quiet")) if missing else None
    names, gaps = names_of(bulks, **ratios), _gaps(run, curves, len(bulks))
    rows = [
        (
            name,
            f"{number(bulk['low'])} to {number(bulk['high'])}",
            number(bulk["median"]),
            percent(bulk["mass"]),
            f"{bulk['mass'] * ratios['psi_p']:.3f}",
            number(bulk["tau"]),
            *(f"{percent(gap[1])} ({interval_percent(gap[2], gap[3])})" for gap in gaps[place : place + 1]),
        )
        for place, (name, bulk) in enumerate(zip(names, bulks, strict=True))
    ]
    about = tag("p", _FORETOLD.format(gaps[0][4]), class_="tau-quiet") if gaps else ""
    return section("Bulks of the spectrum", join(about, table((*_BULKS, *[_GAP] * bool(gaps)), rows, "")))


def _gaps(run: RunView, curves: Curves, count: int) -> list[Row]:
    """The part that each bulk has in the final gap; nothing for a spectrum, which has none."""
    series = curves.runs.get(run.id, {})
    rows = [measured_rows(series.get(f"bulk_gap@{place}")) for place in range(1, count + 1)]
    return [row[-1] for row in rows if row] if all(rows) else []


def closed_keys(run: RunView, curves: Curves) -> Html | None:
    """What lines, points and spans are."""
    series = curves.runs.get(run.id, {})
    if "score_error" not in series:
        return None
    info = curves.metrics.get("score_error")
    loop = "Circles: the loop; line: the closed form of the same draws. " if f"score_error{THEORY}" in series else ""
    groups = (
        f"Eigenvalues of U in descending order: {', '.join(MODES.values())}. " if any(name.startswith("mode_") for name in series) else ""
    )
    bulks = "; dashed, when each bulk of the limiting spectrum is foretold to be learnt" if bulks_of(run, curves) else ""
    about = (
        f"{loop}{groups}Shaded: 95 % over draws; upright, the onsets of this run with their intervals{bulks}. "
        f"{info.definition if info else ''}"
    )
    return tag("p", about, class_="tau-score")


def data_table(run: RunView, curves: Curves) -> Html | None:
    """The told values at every time."""
    series = curves.runs.get(run.id, {})
    names = {name + suffix: words + how for suffix, how in (("", ""), (THEORY, ", theory")) for name, words in _COLUMNS.items()}
    rows = {words: {row[0]: row for row in measured_rows(series.get(name))} for name, words in names.items() if name in series}
    times = sorted({step for found in rows.values() for step in found})
    if not times:
        return None
    cells: Sequence[Sequence[object]] = [(steps(step), *(_value(found.get(step)) for found in rows.values())) for step in times]
    return tag("details", tag("summary", "Data table"), table(("τ", *rows), cells, ""), class_="tau-details")


def _value(row: Row | None) -> str:
    return "not told" if row is None else f"{number(row[1])} ({number(row[2])} to {number(row[3])})"
