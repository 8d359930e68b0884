"""Cards to start from, and the summary of what would run."""

from collections.abc import Mapping, Sequence

from frontend.charts.groups import group_runs
from frontend.launch_source import Source
from frontend.markup.experiments import mini_rail
from frontend.markup.html import Html, join, signed, tag
from frontend.markup.icons import WARNING
from frontend.markup.plan import plan_grid, slot_order
from frontend.words import duration, plural, rough
from tauscope.contracts.datasets import TwinImages
from tauscope.contracts.experiments import ExperimentView, Plan, PresetView
from tauscope.contracts.launching import Estimate, KindView

# For each way to start from what was launched before: what it is, what happens to the earlier one, and its page.
_EARLIER = {
    "from": ("A copy of an earlier experiment", "Nothing of the earlier one changes.", "experiment"),
    "fork": ("One run of an earlier experiment", "Nothing of the earlier one changes.", "run"),
    "grow": ("Further runs for this experiment", "Add values to n, seeds or another axis. The runs it has stay as they are.", "experiment"),
}

_SHOWN_PAIRS = 4


def launch_cards(
    presets: Sequence[PresetView],
    kinds: Sequence[KindView],
    earlier: Mapping[str, ExperimentView],
    source: Source,
) -> Html:
    """A card for each preset, and for each kind that no preset shows; folded away below what the address names beside them."""
    shown = {preset.kind for preset in presets}
    made = [_preset(preset, source.key == f"preset:{preset.name}", earlier.get(preset.name)) for preset in presets]
    bare = [_kind(kind, source.key == f"kind:{kind.name}") for kind in kinds if kind.name not in shown]
    cards = tag("div", *made, *bare, class_="tau-presets", role="group", aria_label="Start from")
    if source.parameter not in _EARLIER:
        return cards
    own = tag("div", _source_card(source), class_="tau-presets")
    return join(own, tag("details", tag("summary", "Start from something else"), cards, class_="tau-details"))


def _source_card(source: Source) -> Html:
    words, told, page = _EARLIER[source.parameter]
    link = tag("a", "Open it", href=f"/{page}?id={source.value}", data_go=f"/{page}?id={source.value}", class_="tau-link")
    return tag("div", tag("b", words), tag("span", told, class_="tau-quiet"), link, class_="tau-preset tau-chosen")


def _preset(preset: PresetView, chosen: bool, earlier: ExperimentView | None) -> Html:
    measured = tag("span", "measured here", class_="tau-quiet") if preset.measured else None
    rail = mini_rail(group_runs(earlier, None)) if earlier else None
    foot = tag("span", rail or tag("span"), tag("span", *_cost(preset), class_="tau-preset-cost"), class_="tau-preset-foot")
    body = [
        tag("span", tag("b", preset.name), measured, class_="tau-preset-head"),
        tag("span", signed(preset.summary), class_="tau-quiet"),
        foot,
    ]
    return _card(f"preset:{preset.name}", chosen, body)


def _kind(kind: KindView, chosen: bool) -> Html:
    return _card(f"kind:{kind.name}", chosen, [tag("b", kind.title), tag("span", kind.description, class_="tau-quiet")])


def _card(choose: str, chosen: bool, body: Sequence[Html]) -> Html:
    style = "tau-preset" + (" tau-chosen" if chosen else "")
    return tag("button", *body, type="button", class_=style, data_choose=choose, data_focus=choose, aria_pressed=str(chosen).lower())


def _cost(preset: PresetView) -> list[Html]:
    """How long it took here, or would take; nothing is made up where neither is known."""
    runs = tag("span", plural(preset.n_runs, "run"), class_="tau-quiet")
    if preset.requirements:
        words = plural(len(preset.requirements), "requirement")
        return [tag("span", WARNING, tag("span", f"lacks {words}"), class_="tau-need", title="; ".join(preset.requirements)), runs]
    if preset.measured_seconds is not None:
        return [tag("b", duration(preset.measured_seconds)), runs]
    return [tag("b", f"about {rough(preset.estimate.seconds)}"), runs] if preset.estimate else [runs]


def plan_summary(plan: Plan, *, label: str = "This launch") -> Html:
    """How many runs and how long, each with its share of the work, and the order on the slots."""
    needs = list(dict.fromkeys(need for run in plan.runs for need in run.requirements))
    warnings = [tag("p", tag("span", need), class_="tau-need") for need in needs]
    counted = plural(len(plan.runs), "run")
    title = f"{counted}, about {rough(plan.estimate.seconds)}" if plan.estimate else counted
    return join(
        tag("div", label, class_="tau-label"),
        tag("div", title, class_="tau-key"),
        _source(plan.estimate) if plan.estimate else tag("p", f"Duration {plan.estimate_note or 'unknown'}.", class_="tau-notes"),
        *warnings,
        *data_remarks(plan),
        plan_grid(plan),
        slot_order(plan) if plan.estimate else None,
    )


def data_remarks(plan: Plan) -> list[Html]:
    """What is worth knowing of the images of each n, with the first pairs that are one picture; it stands in the way of nothing."""
    known = {remark: run.data for run in plan.runs if run.data for remark in run.data.remarks}
    told = [tag("p", tag("span", signed(f"{remark}.")), class_="tau-need") for remark in known]
    pairs = {(pair.part, pair.first, pair.second): pair for data in known.values() for pair in data.pairs}
    pictures = [_twins(pair) for pair in list(pairs.values())[:_SHOWN_PAIRS]]
    return [*told, tag("div", *pictures, class_="tau-twins")] if told else []


def _twins(pair: TwinImages) -> Html:
    first = f"{'held-out' if pair.part == 'held_out' else 'training'} image {pair.first:,}"
    words = f"{first}, training image {pair.second:,}: " + ("equal" if pair.rms is None else f"{pair.rms:.1f} of 255 apart")
    return tag("figure", tag("img", src=pair.picture, alt=words), tag("figcaption", words))


def _source(estimate: Estimate) -> Html:
    spread = f"{duration(estimate.low)} to {duration(estimate.high)} on {plural(len(estimate.slots), 'slot')}"
    return tag("p", f"{spread}, when nothing else is under way. From {estimate.source}.", class_="tau-notes")


def copy_buttons(yaml: str, command: str) -> Html:
    """Buttons that put the sweep into the clipboard."""
    return tag(
        "div",
        tag("button", "Copy as YAML", type="button", class_="tau-link", data_copy=yaml, data_focus="yaml"),
        tag("button", "Copy as command", type="button", class_="tau-link", data_copy=command, data_focus="command", title=command),
        tag("span", role="status", aria_live="polite", class_="tau-quiet"),
        class_="tau-copies",
    )
