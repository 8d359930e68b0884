"""What can be taken away from a page: each chart as SVG, as PNG and as the numbers behind it."""

from collections.abc import Sequence
from dataclasses import dataclass

from frontend.charts.figure import ViewOptions
from frontend.charts.losses import loss_metrics
from frontend.charts.memorization import CONTROL, F_MEM
from frontend.charts.printing import PRINT_WIDTHS
from frontend.charts.reading import FRECHET, copying_metric, kind_of, quality_choices, references_of
from frontend.markup.html import Html, tag
from frontend.words import DASH
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.figures.naming import file_stem
from tauscope.specs import KINDS


@dataclass(frozen=True)
class Chart:
    """A chart that can be taken away; ``part`` is the panel it is drawn from, ``csv`` the address of its numbers,
    empty where there is none."""

    name: str
    title: str
    part: str
    csv: str


def charts_of(experiment: ExperimentView, curves: Curves, options: ViewOptions) -> tuple[Chart, ...]:
    """The charts of the watch page as it is shown, the whole figure first."""
    quality = options.quality or next(iter(quality_choices(experiment, curves)), FRECHET)
    shown = {
        "quality": (quality, *references_of(quality)),
        "memorization": (F_MEM, CONTROL) if (copying := copying_metric(experiment)) == F_MEM else (copying,),
    }
    titles = {"quality": "Quality", "memorization": "Memorized", "losses": "Loss pair"}
    if options.losses is not None:
        shown["losses"] = loss_metrics(options.losses)
    everything = [metric for metrics in shown.values() for metric in metrics]
    whole = Chart(options.view, f"Whole figure, {options.view}", "", curves_csv(experiment, everything))
    return (whole, *(Chart(part, titles[part], part, curves_csv(experiment, metrics)) for part, metrics in shown.items()))


def curves_csv(experiment: ExperimentView, metrics: Sequence[str]) -> str:
    """The address of every point of these metrics as measured."""
    return f"/api/v1/experiments/{experiment.id}/curves.csv?metrics={','.join(dict.fromkeys(metrics))}"


def downloads(experiment: ExperimentView, charts: Sequence[Chart]) -> Html:
    """What an experiment's page gives away; its files are named after it."""
    named = [(chart, file_stem(experiment.name, experiment.id, chart.name, experiment.sweep)) for chart in charts]
    papers = (2, 3) if KINDS[kind_of(experiment)].TRAINS else ()
    return take_table(named, [_paper_row(experiment, number) for number in papers])


def take_table(charts: Sequence[tuple[Chart, str]], further: Sequence[Html] = ()) -> Html:
    """One row a chart: on screen and at two widths for paper as SVG and PNG, and its numbers as CSV. With each the stem of its files."""
    head = ("Chart", "as on screen", *(f"{width} mm wide, 8 pt" for width in PRINT_WIDTHS), "numbers as measured")
    rows = [*(_row(chart, stem) for chart, stem in charts), *further]
    table = tag(
        "table", tag("thead", tag("tr", *[tag("th", words, scope="col") for words in head])), tag("tbody", *rows), class_="tau-takes"
    )
    return tag("details", tag("summary", "Download: SVG, PDF, PNG, CSV"), table, class_="tau-details")


def _row(chart: Chart, stem: str) -> Html:
    cells = [tag("td", *[_button(chart, stem, form, width) for form in ("svg", "png")]) for width in (None, *PRINT_WIDTHS)]
    link = tag("a", "CSV", href=chart.csv, download=f"{stem}.csv", class_="tau-take") if chart.csv else "at the level of the spec alone"
    return tag("tr", tag("th", chart.title, scope="row"), *cells, tag("td", link))


_PAPER = {2: "Figure 2: quality, copying, losses, samples", 3: "Figure 3: onsets against n, phases"}


def _paper_row(experiment: ExperimentView, number: int) -> Html:
    """A figure as the paper arranges it, drawn by the service from all that is measured; its zip file holds the numbers drawn."""

    def link(form: str, width: int) -> Html:
        said = f"Figure {number} as {form.upper()}, {width} mm wide"
        href = f"/api/v1/experiments/{experiment.id}/figures/{number}.{form}?width={width}"
        return tag("a", form.upper(), href=href, download="", class_="tau-take", aria_label=said)

    cells = [tag("td", *[link(form, width) for form in ("pdf", "svg", "png")]) for width in PRINT_WIDTHS]
    return tag("tr", tag("th", _PAPER[number], scope="row"), tag("td", DASH), *cells, tag("td", link("zip", PRINT_WIDTHS[-1])))


def _button(chart: Chart, stem: str, form: str, width: int | None) -> Html:
    name = f"{stem}-{width}mm.{form}" if width else f"{stem}.{form}"
    where = f", {width} mm wide" if width else ""
    return tag(
        "button",
        form.upper(),
        type="button",
        class_="tau-take",
        data_take=form,
        data_part=chart.part,
        data_print=width or "",
        data_file=name,
        aria_label=f"{chart.title} as {form.upper()}{where}",
    )
