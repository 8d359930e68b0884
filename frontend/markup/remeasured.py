"""What was measured again, in words and numbers: each set with its label, its onsets, and where each of its steps stands."""

from collections.abc import Iterator, Mapping, Sequence

from frontend.charts.memorization import CONTROL, F_MEM
from frontend.markup.html import TAU_GEN, TAU_MEM, Html, join, tag
from frontend.markup.sections import section, table
from frontend.words import interval_percent, number, onset_words, percent, plural, sentence, steps
from tauscope.contracts.curves import Series
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import MetricInfo
from tauscope.contracts.remeasuring import RemeasuredStepView, RemeasurementView
from tauscope.contracts.run_views import RunView

OWN = "as the run was measured"
_SETS = ("Estimate", TAU_GEN, TAU_MEM, "Steps measured", "Not yet, or not at all")
_QUALITIES = ("τ", "Estimate", "Quality", "Value", "Interval", "Samples", "Real against real", "Training set in place of samples")
_POINTS = ("τ", "Estimate", "Copies", "95 % interval", "Samples", "Held-out control", "Out of the ordinary")


def remeasured_finding(sets: Sequence[RemeasurementView]) -> Html:
    """How many sets there are, and how far they are."""
    done = sum(item.state == "measured" for held in sets for item in held.steps)
    every = sum(len(held.steps) for held in sets)
    failed = sum(item.state == "failed" for held in sets for item in held.steps)
    left = f", {failed} given up" if failed else ""
    return tag("span", f"Measured again in {plural(len(sets), 'way')}: {done} of {plural(every, 'checkpoint')} done{left}.")


def remeasured_tables(run: RunView, own: Series | None, control: Series | None, sets: Sequence[RemeasurementView]) -> Html:
    """The onsets by every estimate, and every f_mem with interval, count and control."""
    rows = [(OWN, *both_onsets(run.onsets), len(own.step) if own else 0, "")]
    rows += [
        (held.name, *both_onsets(held.onsets), sum(item.state == "measured" for item in held.steps), _open(held.steps)) for held in sets
    ]
    points = _points(OWN, own, control, {})
    for held in sets:
        notes = {item.step: item.note for item in held.steps}
        for metric, control_name, name in [(F_MEM, CONTROL, held.name), *_between_features(held)]:
            points += _points(name, held.series.get(metric), held.series.get(control_name), notes)
    points.sort(key=lambda row: row[0])
    told = "Another sampler, count or feature network is another estimate: it never enters the run's own curves, onsets or fits."
    body = join(
        tag("p", told, class_="tau-quiet"),
        table(_SETS, rows, ""),
        _folded([(steps(step), *cells) for step, *cells in points]),
        _qualities(sets),
    )
    return section("Measured again", body)


def _between_features(held: RemeasurementView) -> list[tuple[str, str, str]]:
    """The shares of copies on feature networks: each with its control, and what its rows are called."""
    floored = [name for name in held.series if name.startswith("copies") and f"{name}_floor" in held.series]
    return [(name, f"{name}_floor", f"{held.name}: {name}") for name in floored]


def _qualities(sets: Sequence[RemeasurementView]) -> Html | None:
    """Every quality of samples with its baselines, and what each of them is."""
    held_by = [
        (held, info)
        for held in sets
        for info in held.metrics.values()
        if info.role == "quality" and info.control in held.series and not info.name.startswith("copies")
    ]
    if not held_by:
        return None
    rows = sorted((row for held, info in held_by for row in _quality_rows(held, info)), key=lambda row: row[0])
    numbers = table(_QUALITIES, [(steps(step), *cells) for step, *cells in rows], "")
    words = [tag("p", tag("b", label), f": {definition}") for label, definition in sorted({(i.label, i.definition) for _, i in held_by})]
    summary = tag("summary", f"Every quality: {plural(len(rows), 'point')}")
    asked = any("features" in held.changes for held, _ in held_by)  # Then these are what the set was made for.
    return tag("details", summary, numbers, *words, class_="tau-details", open=asked)


def _quality_rows(held: RemeasurementView, info: MetricInfo) -> Iterator[tuple[int, str, str, str, str, str, str, str]]:
    found = held.series[info.name]
    real, copier = (held.series.get(info.name + ending) for ending in ("_floor", "_train"))
    for step, value, low, high, count, reason in zip(
        found.step, found.value, found.low, found.high, found.count, found.reason, strict=True
    ):
        told = sentence(reason or "not measured") if value is None else number(value)
        spread = "" if low is None or high is None else f"{number(low)} to {number(high)}"
        yield step, held.name, info.label, told, spread, f"{count or 0:,}", _baseline(real), _baseline(copier)


def _baseline(series: Series | None) -> str:
    """What is measured once a run: of real images, and of the training images themselves."""
    if series is None or series.value[-1] is None:
        return "not measured"
    return f"{number(series.value[-1])} ({series.count[-1] or 0:,} images)"


def _folded(rows: Sequence[tuple[str, ...]]) -> Html:
    """There are as many rows as checkpoints times estimates."""
    if not rows:
        return tag("p", "Nothing is measured yet: each step appears when it is done.")
    return tag("details", tag("summary", f"Every number: {plural(len(rows), 'point')}"), table(_POINTS, rows, ""), class_="tau-details")


def both_onsets(onsets: Mapping[str, Onset]) -> tuple[str, str]:
    """tau_gen and tau_mem with their intervals, or why there is none."""
    told = [onset_words(onsets[name]) if name in onsets else ("not measured", "") for name in ("tau_gen", "tau_mem")]
    one, other = (f"{value} ({spread})" if spread else value for value, spread in told)
    return one, other


def _open(found: Sequence[RemeasuredStepView]) -> str:
    states = {state: [item for item in found if item.state == state] for state in ("measuring", "waiting", "failed")}
    told = [f"{state}: {', '.join(steps(item.step) for item in items)}" for state, items in states.items() if items]
    whys = {sentence(item.note) for item in found if item.state != "measured" and item.note}
    return ". ".join([*("; ".join(told),), *sorted(whys)]) if told else ""


_Row = tuple[int, str, str, str, str, str, str]
_Control = tuple[int, float | None, float | None, float | None, int | None]


def _points(name: str, series: Series | None, control: Series | None, notes: dict[int, str]) -> list[_Row]:
    if series is None:
        return []
    held_out = zip(control.step, control.value, control.low, control.high, control.count, strict=True) if control else ()
    floor: dict[int, _Control] = {row[0]: row for row in held_out}
    rows = zip(series.step, series.value, series.low, series.high, series.count, series.reason, strict=True)
    return [
        (
            step,
            name,
            percent(value) if value is not None else sentence(reason or "not measured"),
            interval_percent(low, high) if low is not None and high is not None else "",
            f"{count or 0:,}",
            _control(floor.get(step)),
            notes.get(step, ""),
        )
        for step, value, low, high, count, reason in rows
    ]


def _control(row: _Control | None) -> str:
    _, value, low, high, count = row or (0, None, None, None, None)
    if value is None or low is None or high is None or not count:
        return "not measured"
    return f"{percent(value)} ({interval_percent(low, high)}) of {count:,}"
