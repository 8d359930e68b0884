"""Figure 3 as rows: both onsets against n for every width with the fitted laws, and the phase diagram over (n, W).

After Bonnaire et al. 2025 (arXiv:2505.17638), Figure 3.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tauscope.analysis.scaling import BOUNDS, fit_sweep
from tauscope.analysis.seeds import onset_over_seeds
from tauscope.contracts.onsets import OnsetStatus, PowerLawFit
from tauscope.contracts.summary import RunSummary
from tauscope.figures.onset_rows import SYMBOLS, onset_fields, without_value
from tauscope.figures.phases import has_parameters, phase_panel
from tauscope.figures.rows import Panel, Plan, Row
from tauscope.figures.seeds import families, seeds_words
from tauscope.figures.source import FigureData, FigureOptions, FigureRun

ONSETS = ("tau_gen", "tau_mem")
_ALONG = 25  # Points of a fitted line, so that its band is smooth.


def figure_3(data: FigureData, _options: FigureOptions) -> Plan:
    """The two panels, or the laws alone where the kind trains no parameters to be counted."""
    found = families(data.runs)
    sizes = tuple(family.n_train for family in found if family.n_train is not None)
    by_setting = [family for setting in settings_of(data.runs) for family in families(run for run in data.runs if run.setting == setting)]
    notes = (seeds_words(by_setting),) if by_setting else ()
    panels = (law_panel(data.runs), phase_panel(data.runs)) if has_parameters(data.runs) else (law_panel(data.runs),)
    return Plan(3, panels, sizes, notes)


def law_panel(runs: Sequence[FigureRun]) -> Panel:
    """Onsets of every run, of three or more runs of an n that all reached it their geometric mean, and a law for each setting."""
    title = "Onsets against n"
    rows: list[Row] = []
    said: list[str] = []
    notes: list[str] = []
    for setting in settings_of(runs):
        chosen = [run for run in runs if run.setting == setting and run.n_train is not None]
        fits = fit_sweep([_summary(run) for run in chosen if run.state != "failed"])
        for name in ONSETS:
            points = _points(chosen, name, setting)
            rows += points
            fit = fits.get(f"{name}_vs_n")
            if fit is not None:
                rows += _fit_rows(fit, name, setting, points)
                notes.append(f"{name}{f' ({setting})' if setting else ''}: {fit.note}")
                said.append(_fit_words(fit, name, setting_name(chosen, setting) if len(settings_of(runs)) > 1 else ""))
    onsets = [row for row in rows if row.kind == "onset"]
    if not onsets:
        return Panel("a", title, empty="no onset is measured yet")
    levels = "; ".join(dict.fromkeys(_level_words(run, name) for run in runs for name in ONSETS if name in run.onsets))
    return Panel(
        "a",
        title,
        (*rows, *_slope_one(onsets)),
        note="\n".join([_counts(onsets), *_unset(onsets), *(said or ["no law: n takes fewer than two values"])]),
        definition=f"Onsets with 95 % intervals: {levels}. Lines: maximum likelihood, censored onsets as bounds; bands: 95 % interval"
        f" of the exponent. Arrows: not reached by the last checkpoint. "
        f"Marks of several settings stand a little beside one another. Laws: {'; '.join(notes) or 'none'}.",
        x_label="training-set size n",
        y_label="onset τ, steps",
        log_y=True,
    )


def settings_of(runs: Sequence[FigureRun]) -> tuple[str, ...]:
    """The settings beside n and seed, in the order of the sweep; those of a width by width."""
    widths = {run.setting: run.width or 0 for run in runs}
    return tuple(sorted(widths, key=lambda setting: widths[setting]))


def setting_name(runs: Sequence[FigureRun], setting: str) -> str:
    """``W = 32`` where the width is all that differs."""
    return f"W = {runs[0].width}" if runs and runs[0].width is not None and setting.count("=") <= 1 and "width" in setting else setting


def _summary(run: FigureRun) -> RunSummary:
    params = {"n_train": run.n_train, "seed": run.params.get("seed", run.id)}
    return RunSummary(id=run.id, params=params, state=run.state, onsets=dict(run.onsets), final={}, seconds=0.0)


def _points(runs: Sequence[FigureRun], name: str, setting: str) -> list[Row]:
    rows = []
    for family in families(runs):
        common: dict[str, Any] = {
            "x_quantity": "n_train",
            "x": float(family.n_train or 0),
            "n_train": family.n_train,
            "width": family.runs[0].width,
        }
        found = [(run, run.onsets[name]) for run in family.runs if name in run.onsets]
        mean = onset_over_seeds([onset for _, onset in found]) if len(found) == len(family.runs) else None
        if mean is not None:
            middle: dict[str, Any] = {"y": mean.value, "y_low": mean.low, "y_high": mean.high, "status": str(OnsetStatus.REACHED)}
            rows.append(Row("a", "onset", name, **common, **middle, setting=setting, runs=len(found)))
        else:
            rows += [
                Row("a", "onset", name, **common, **onset_fields(onset, run, along="y"), setting=setting, run=run.id)
                for run, onset in found
            ]
    return rows


def _fit_rows(fit: PowerLawFit, name: str, setting: str, points: Sequence[Row]) -> list[Row]:
    """The fitted line over the n that entered the fit; its band turns about the middle of the onsets that were reached."""
    reached = [row for row in points if row.y is not None]
    if fit.exponent is None or fit.prefactor is None or not reached:
        return []
    sizes = [row.x for row in points if row.x and row.status in {OnsetStatus.REACHED, *BOUNDS[name]}]
    low, high = min(sizes), max(sizes)
    middle, _ = _centre(reached)
    at_middle = fit.prefactor * middle**fit.exponent
    rows = []
    for k in range(_ALONG):
        n = low * (high / low) ** (k / (_ALONG - 1))
        ends = sorted(at_middle * (n / middle) ** slope for slope in (fit.low, fit.high) if slope is not None)
        band: dict[str, Any] = {"y_low": ends[0], "y_high": ends[1]} if len(ends) == 2 else {}
        rows.append(Row("a", "fit", name, "n_train", n, fit.prefactor * n**fit.exponent, **band, setting=setting, width=points[0].width))
    return rows


def _fit_words(fit: PowerLawFit, name: str, setting: str) -> str:
    symbol = SYMBOLS[name]
    where = f"{setting}: " if setting else ""
    if fit.exponent is None:
        return f"{where}{symbol}: no law, {fit.note}"
    spread = f"{fit.low:.2f} to {fit.high:.2f}" if fit.low is not None and fit.high is not None else "no interval"
    return f"{where}{symbol} ~ $n^{{{round(fit.exponent, 2) + 0.0:.2f}}}$ ({spread}), {fit.points} onsets, {fit.censored} censored".replace(
        "-", "−"
    )


def _counts(onsets: Sequence[Row]) -> str:
    return f"{sum(row.runs for row in onsets if row.quantity == 'tau_mem')} runs; bars and bands 95 %; dashed: slope 1"


def _unset(onsets: Sequence[Row]) -> list[str]:
    """Which onsets have no value."""
    said = ((name, without_value([row for row in onsets if row.quantity == name])) for name in ONSETS)
    return [f"{SYMBOLS[name]} {words}" for name, words in said if words]


def _level_words(run: FigureRun, name: str) -> str:
    onset = run.onsets[name]
    level = f"{100 * onset.level:g} %" if onset.metric == "f_mem" else f"{onset.level:g}"
    what = f"{name}: {onset.metric}"
    return f"{what} minus control at or above {level}" if name == "tau_mem" else f"{what} at or below {level}"


def _slope_one(onsets: Sequence[Row]) -> list[Row]:
    """A line of slope 1 through the middle of tau_mem."""
    reached = [row for row in onsets if row.quantity == "tau_mem" and row.y is not None]
    sizes = [row.x for row in onsets if row.x]
    if not reached or len(set(sizes)) < 2:
        return []
    middle, tau = _centre(reached)
    return [Row("a", "guide", "slope 1", "n_train", n, tau * n / middle) for n in (min(sizes), max(sizes))]


def _centre(reached: Sequence[Row]) -> tuple[float, float]:
    """Geometric means of n and of the onsets that were reached."""
    x, y = np.log(np.array([(row.x, row.y) for row in reached], dtype=np.float64)).T
    return float(np.exp(x.mean())), float(np.exp(y.mean()))
