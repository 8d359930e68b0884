"""From an experiment's numbers to the bytes of a file, or of a zip file with the numbers beside the figure."""

import io
import zipfile
from collections.abc import Callable
from typing import Literal, get_args

import yaml

from tauscope.figures.caption import caption
from tauscope.figures.figure2 import figure_2, metrics_of_figure_2
from tauscope.figures.figure3 import figure_3
from tauscope.figures.naming import configuration_hash, file_stem
from tauscope.figures.rows import Plan, as_csv, as_parquet
from tauscope.figures.source import FigureData, FigureOptions, Number
from tauscope.specs import KINDS, SpecError
from tauscope.version import source_version

Form = Literal["svg", "pdf", "png", "zip"]
FORMS: tuple[Form, ...] = get_args(Form)
_PLANS: dict[Number, Callable[[FigureData, FigureOptions], Plan]] = {2: figure_2, 3: figure_3}


def plan_figure(data: FigureData, number: Number, options: FigureOptions) -> Plan:
    """What a figure draws, before it is drawn.

    Raises:
        SpecError: if ``options.quality`` is no quality of this experiment, or nothing is trained in it.
    """
    untrained = sorted({str(run.spec["kind"]) for run in data.runs if not KINDS[run.spec["kind"]].TRAINS})
    if untrained:
        what = f"figure {number} is of training, and runs of kind {', '.join(untrained)} train nothing"
        raise SpecError.single("figure", what, "Take the figure of their own page, Closed form")
    return _PLANS[number](data, options)


def drawn_metrics(data: FigureData, number: Number, options: FigureOptions) -> tuple[str, ...] | None:
    """The metrics whose curves a figure reads, ``None`` for all; ``data`` need not hold any yet.

    Raises:
        SpecError: if ``options.quality`` is no quality of this experiment.
    """
    return metrics_of_figure_2(data.runs, options) if number == 2 else None


def render(data: FigureData, number: Number, form: Form, options: FigureOptions | None = None) -> bytes:
    """The file of a figure. The same data give the same bytes.

    Raises:
        SpecError: if ``options.quality`` is no quality of this experiment.
    """
    options = options or FigureOptions()
    plan = plan_figure(data, number, options)
    return _zip(data, plan, options) if form == "zip" else _draw(data, plan, (form,), options)[0]


def stem(data: FigureData, number: Number, options: FigureOptions) -> str:
    """The file's name without its ending."""
    return f"{file_stem(data.name, data.experiment_id, f'figure-{number}', data.sweep)}-{options.width_mm}mm"


def facts(data: FigureData, options: FigureOptions) -> dict[str, str]:
    """What made the figure."""
    return {
        "experiment": f"{data.name} ({data.experiment_id})",
        "configuration": configuration_hash(data.sweep),
        "code version": data.code_version,
        "figure code version": source_version(),
        "numbers of": data.date.isoformat(),
        "width": f"{options.width_mm} mm",
    }


def _draw(data: FigureData, plan: Plan, forms: tuple[Literal["svg", "pdf", "png"], ...], options: FigureOptions) -> list[bytes]:
    # Here and not above: whoever only knows the names must not wait for Matplotlib.
    from tauscope.figures.drawing.files import save
    from tauscope.figures.drawing.layout import draw
    from tauscope.figures.drawing.style import house_style

    title = f"Figure {plan.number}: {data.name}"
    with house_style():
        # Each form from a drawing of its own: saving changes a figure's resolution.
        return [save(draw(plan, options.width_mm), form, title=title, facts=facts(data, options), date=data.date) for form in forms]


def _zip(data: FigureData, plan: Plan, options: FigureOptions) -> bytes:
    name = stem(data, 2 if plan.number == 2 else 3, options)
    forms: tuple[Literal["svg", "pdf", "png"], ...] = ("svg", "pdf", "png")
    files = {f"{name}.{form}": content for form, content in zip(forms, _draw(data, plan, forms, options), strict=True)}
    made = facts(data, options)
    files |= {f"{name}.csv": as_csv(plan.rows, made), f"{name}.parquet": as_parquet(plan.rows, made)}
    files |= {"spec.yaml": yaml.safe_dump(dict(data.sweep), sort_keys=False, allow_unicode=True).encode()}
    files |= {"caption.txt": caption(plan, made).encode()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in files.items():
            # A zip file knows no time before 1980.
            date = max(data.date.timetuple()[:6], (1980, 1, 1, 0, 0, 0))
            archive.writestr(zipfile.ZipInfo(path, date), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
