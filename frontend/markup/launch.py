"""Preset cards and the summary of what would run."""

from collections.abc import Sequence

from frontend.markup.html import Html, join, tag
from frontend.markup.icons import WARNING, swatch
from frontend.theme import Palette, n_colours
from frontend.words import plural, steps
from tauscope.contracts.experiments import Plan, PlannedRun, PresetView


def preset_cards(presets: Sequence[PresetView], chosen: str | None) -> Html:
    """A card a preset: what it shows, how many runs, what is missing here."""
    return tag(
        "div", *[_preset(preset, preset.name == chosen) for preset in presets], class_="tau-presets", role="group", aria_label="Presets"
    )


def _preset(preset: PresetView, chosen: bool) -> Html:
    needs = [tag("span", WARNING, need, class_="tau-need") for need in preset.requirements]
    body = [
        tag("b", preset.name),
        tag("span", preset.summary, class_="tau-quiet"),
        *needs,
        tag("span", plural(preset.n_runs, "run"), class_="tau-preset-runs"),
    ]
    style = "tau-preset" + (" tau-chosen" if chosen else "")
    return tag("button", *body, type="button", class_=style, data_choose=preset.name, aria_pressed=str(chosen).lower())


def plan_summary(plan: Plan, palette: Palette) -> Html:
    """How many runs, and each with its steps and its share of the work."""
    title = tag("div", plural(len(plan.runs), "run"), class_="tau-key")
    needs = list(dict.fromkeys(need for run in plan.runs for need in run.requirements))
    warnings = [tag("p", WARNING, need, class_="tau-need") for need in needs]
    note = tag("p", "Bars: expected work in network evaluations. The longest run goes first.", class_="tau-notes")
    return join(tag("div", "This launch", class_="tau-label"), title, *warnings, _table(plan, palette), note)


def _table(plan: Plan, palette: Palette) -> Html:
    total = max(run.cost for run in plan.runs)
    sizes = sorted({_size(run) for run in plan.runs})
    colours = dict(zip(sizes, n_colours(len(sizes), palette), strict=True))
    rows = [_row(run, colours[_size(run)], run.cost / total) for run in plan.runs[:40]]
    rest = [tag("p", f"and {len(plan.runs) - 40} more", class_="tau-quiet")] if len(plan.runs) > 40 else []
    head = tag("tr", tag("th", "run"), tag("th", "steps"), tag("th", "work"))
    return join(tag("table", tag("thead", head), tag("tbody", *rows), class_="tau-onsets tau-plan"), *rest)


def _size(run: PlannedRun) -> int:
    return int(run.spec.get("dataset", {}).get("n_train", 0))


def _row(run: PlannedRun, colour: str, share: float) -> Html:
    bar = tag("span", tag("span", style=f"width:{100 * share:.1f}%;background:{colour}"), class_="tau-bar")
    name = ", ".join(f"{'n' if key == 'n_train' else key} = {value}" for key, value in run.params.items()) or "single run"
    return tag("tr", tag("td", swatch(colour), name), tag("td", steps(float(run.spec.get("steps", 0)))), tag("td", bar))
