"""The command that draws a figure for a paper."""

from pathlib import Path
from typing import Annotated

import typer

from tauscope.cli.service import DEFAULT_URL, Url, open_client, output
from tauscope.figures.source import FigureOptions, Number
from tauscope.specs import SpecError

commands = typer.Typer()
_FORMS = ("pdf", "svg", "png", "zip")


@commands.command()
def figure(
    number: Annotated[int, typer.Argument(metavar="2|3", help="2: quality, copying, losses, samples; 3: onsets against n, phases.")],
    source: Annotated[str, typer.Argument(metavar="FOLDER|EXPERIMENT", help="A results folder, or the id of a service's experiment.")],
    form: Annotated[str | None, typer.Option("--format", help="pdf, svg or png; by default the ending of --out, or pdf.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; default figure-2.pdf and so on, here.")] = None,
    zipped: Annotated[bool, typer.Option("--zip", help="All three forms, with the numbers drawn, the spec and a caption.")] = False,
    width: Annotated[int, typer.Option(help="Millimetres: 85, one column, or 175, two.")] = 175,
    a: Annotated[float, typer.Option(help="Figure 2: its inset is drawn over tau / n^a.")] = 1.0,
    quality: Annotated[str | None, typer.Option(help="Figure 2: metric of its first panel, e.g. frechet_pca.")] = None,
    url: Url = DEFAULT_URL,
) -> None:
    """Draw figure 2 or 3 of the paper from your numbers, as SVG, PDF or PNG with the configuration hash inside."""
    drawn, ending = _number(number), "zip" if zipped else _form(form, out)
    options = FigureOptions(width, a, quality)
    path = out or Path(f"figure-{drawn}.{ending}")
    if Path(source).is_dir():
        content = _of_folder(Path(source), drawn, ending, options)
    else:
        with open_client(url) as client:
            content = client.figure(source, drawn, ending, width=width, a=a, quality=quality)
    path.write_bytes(content)
    output.print(f"Figure {drawn}: {path}")


def _of_folder(folder: Path, number: Number, form: str, options: FigureOptions) -> bytes:
    from tauscope.figures.folder import read_folder
    from tauscope.figures.render import FORMS, render

    return render(read_folder(folder), number, next(item for item in FORMS if item == form), options)


def _number(number: int) -> Number:
    if number == 2:
        return 2
    if number == 3:
        return 3
    raise SpecError.single("figure", f"there is no figure {number}", "Choose 2 or 3")


def _form(form: str | None, out: Path | None) -> str:
    chosen = form or (out.suffix.removeprefix(".") if out is not None else "pdf")
    if chosen not in _FORMS:
        raise SpecError.single("--format", f"{chosen!r} is none that a figure has", "Choose from pdf, svg, png, or use --zip")
    return chosen
