"""Figure 2 as rows: quality, copying, both losses, and samples beside their nearest training images.

After Bonnaire et al. 2025 (arXiv:2505.17638), Figure 2. Their FID is here the quality that defines tau_gen, or another by name.
"""

from collections.abc import Mapping, Sequence

from tauscope.contracts.points import MetricInfo
from tauscope.figures.copying import copying_panel, measure_of
from tauscope.figures.onset_rows import onset_rows, without_value
from tauscope.figures.pictures import picture_panel
from tauscope.figures.rows import Panel, Plan, Row, Tiles
from tauscope.figures.seeds import Family, chosen_setting, counts_of, curve_rows, families, level_of, seeds_words
from tauscope.figures.source import FigureData, FigureOptions, FigureRun, short_title
from tauscope.specs import SpecError

_LONG = 36  # Letters that do not fit beside a panel.


def figure_2(data: FigureData, options: FigureOptions) -> Plan:
    """The four panels.

    Raises:
        SpecError: if ``options.quality`` is no quality that was measured.
    """
    runs, left_out = chosen_setting(data)
    found = families(runs)
    images: dict[str, Tiles] = {}
    panels = (
        quality_panel(found, _quality(runs, options.quality)),
        copying_panel(found, options.exponent),
        loss_panel(found),
        picture_panel(data, found, images),
    )
    sizes = tuple(family.n_train for family in found if family.n_train is not None)
    notes = tuple(words for words in (seeds_words(found) if found else "", left_out) if words)
    return Plan(2, panels, sizes, notes, images)


def metrics_of_figure_2(runs: Sequence[FigureRun], options: FigureOptions) -> tuple[str, ...]:
    """The metrics whose curves it reads; ``runs`` need none yet.

    Raises:
        SpecError: as ``figure_2``.
    """
    infos, quality = infos_of(runs), _quality(runs, options.quality)
    index = _lowest_index(infos)
    losses = [f"loss_{name}@{index}" for name in ("train", "held_out", "gap")] if index is not None else []
    control = infos[quality].control if quality in infos else None
    measure = measure_of(runs)
    return tuple(name for name in (quality, control, f"{quality}_train", measure.metric, measure.control, *losses) if name)


def infos_of(runs: Sequence[FigureRun]) -> dict[str, MetricInfo]:
    """How each metric is named and defined."""
    return {name: info for run in runs for name, info in run.metrics.items()}


def _quality(runs: Sequence[FigureRun], wanted: str | None) -> str | None:
    defining = level_of(runs, "tau_gen")
    known = [name for name, info in infos_of(runs).items() if info.role == "quality"]
    if wanted is not None and wanted not in known:
        raise SpecError.single("quality", f"{wanted} is no quality of this experiment", f"Choose from {', '.join(known) or 'none'}")
    return wanted or (defining[0] if defining else next(iter(known), None))


def quality_panel(found: Sequence[Family], metric: str | None) -> Panel:
    """One quantity, its level and tau_gen where it defines that, its floor and what a copier scores."""
    runs = [run for family in found for run in family.runs]
    info = infos_of(runs).get(metric or "")
    if metric is None or info is None:
        return Panel("a", "Quality", empty="no quality is measured")
    rows = [row for family in found for row in curve_rows(family, metric, "a", log=info.log_scale)]
    onsets = _level_and_onsets(found, runs, metric)
    if not rows:
        return Panel("a", short_title(info), empty="not measured yet")
    counts = counts_of(row for row in rows if row.kind == "curve")
    items = "pairs" if info.index is not None else "samples"
    of = f"N = {counts} {items}; " if counts else ""
    reading = f"; {info.better_words}" if info.better_words else ""
    at = f"$\\bar\\alpha$ = {info.alpha_bar:.3f}; " if info.alpha_bar is not None else ""
    return Panel(
        "a",
        short_title(info),
        (*rows, *onsets, *_references(found, info)),
        note=join_words(f"{at}{of}bands 95 %{reading}", references_words(info), without_value(onsets), missing_words(rows)),
        definition=f"{info.label}: {info.definition}",
        y_label=_short_unit(info),
        log_y=info.log_scale,
        onset="tau_gen" if any(row.kind == "onset" for row in onsets) else "",
    )


def _short_unit(info: MetricInfo) -> str:
    return info.unit if len(info.unit) < _LONG else info.unit.partition(",")[0].partition(" per ")[0]


def _level_and_onsets(found: Sequence[Family], runs: Sequence[FigureRun], metric: str) -> list[Row]:
    defining = level_of(runs, "tau_gen")
    if defining is None or defining[0] != metric:
        return []
    return [Row("a", "level", metric, y=defining[1], note="level of tau_gen")] + [
        row for family in found for row in onset_rows(family, "tau_gen", "a")
    ]


def _references(found: Sequence[Family], info: MetricInfo) -> list[Row]:
    """Real against real, and the raw training set of each n: without these two a distance cannot be read."""
    rows = []
    for family in found:
        copier = f"{info.name}_train"
        floor = info.control if info.control != copier else None
        for name, words in ((floor, "real against real"), (copier, "training set: what a copier scores")):
            series = family.runs[0].series.get(name or "")
            value = next((value for value in reversed(series.value) if value is not None), None) if series else None
            if value is not None:
                rows.append(Row("a", "reference", name or "", y=value, n_train=family.n_train, run=family.runs[0].id, note=words))
    return rows


def references_words(info: MetricInfo) -> str:
    """What the horizontal lines of a distance are."""
    if not info.control:
        return ""
    copier = "dash-dotted, by n: what the training set itself scores"
    return copier if info.control == f"{info.name}_train" else f"grey: real against real; {copier}"


def loss_panel(found: Sequence[Family]) -> Panel:
    """Training and held-out loss at the lowest index, where they part first; their relative gap in the inset."""
    infos = infos_of([run for family in found for run in family.runs])
    index = _lowest_index(infos)
    if index is None:
        return Panel("c", "Training and held-out loss", empty="no loss is measured")
    train, held_out = infos[f"loss_train@{index}"], infos[f"loss_held_out@{index}"]
    gap = infos.get(f"loss_gap@{index}")
    rows = [row for family in found for info in (train, held_out) for row in curve_rows(family, info.name, "c", log=True)]
    if not rows:
        return Panel("c", f"Losses at index {index}", empty="not measured yet")
    inset = [row for family in found for row in curve_rows(family, gap.name, "c inset")] if gap else []
    said = f" Inset: {gap.definition}" if gap else ""
    counts = counts_of(rows) or _pairs(found)
    return Panel(
        "c",
        f"Losses at index {index}: solid held-out, dashed training",
        tuple(rows),
        note=join_words(f"$\\bar\\alpha$ = {train.alpha_bar:.3f}; N = {counts} pairs; bands 95 %", missing_words(rows)),
        definition=f"{held_out.label}: {held_out.definition} {train.label}: {train.definition}{said}",
        y_label=_short_unit(train),
        log_y=True,
        inset=Panel("c inset", "relative gap, %", tuple(inset), x_label="τ", share=True) if inset else None,
    )


def _lowest_index(infos: Mapping[str, MetricInfo]) -> int | None:
    return min((info.index for name, info in infos.items() if name.startswith("loss_train@") and info.index is not None), default=None)


def _pairs(found: Sequence[Family]) -> str:
    stated = {run.spec.get("measurement", {}).get("loss_pairs") for family in found for run in family.runs} - {None}
    return " or ".join(f"{count:,}" for count in sorted(stated))


def missing_words(rows: Sequence[Row]) -> str:
    """Why points are missing, in words; empty where none is."""
    reasons = sorted({row.note for row in rows if row.kind == "missing"})
    return f"×: {', '.join(reasons)}" if reasons else ""


def join_words(*parts: str) -> str:
    """Clauses on lines of their own, the empty ones left out."""
    return "\n".join(part for part in parts if part)
